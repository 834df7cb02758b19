//! What a phone says and hears in a call.

mod hearing;
mod punctuality;
mod recognizer;
mod stream;

pub use hearing::Hearing;
pub use punctuality::Punctuality;
pub(crate) use punctuality::percentile_of;
pub use recognizer::{HeardPrompt, PromptRecognizer, RecognizerError};
pub(crate) use stream::AudioStream;

//! What a phone says and hears in a call.

mod hearing;
mod recognizer;
mod stream;

pub use hearing::Hearing;
pub(crate) use hearing::{deviations, percentile_of};
pub use recognizer::{HeardPrompt, PromptRecognizer, RecognizerError};
pub(crate) use stream::AudioStream;

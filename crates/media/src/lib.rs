//! RTP: packets, jitter, codecs, digits, playing and recording; pure parts and one driver.
#![deny(unsafe_code)]

mod codec;
mod driver;
mod g711;
mod g722;
mod g729;
mod jitter;
mod length;
mod pack;
mod player;
mod prompts;
mod receive;
mod recorder;
mod resample;
mod rtcp;
mod rtp;
mod stream;
mod telephone_event;
mod tone;
mod tone_detector;
mod wav;

pub use codec::{CodecFormat, Decoder, Encoder, codecs_available};
pub use driver::{
    Driver, DriverFigures, DriverHandle, DriverSettings, Metronome, MetronomeReport, Rank,
};
pub use g711::{alaw_decode, alaw_encode, mulaw_decode, mulaw_encode};
pub use g722::{G722Decoder, G722Encoder};
pub use g729::{G729Decoder, G729Encoder, g729_available};
pub use jitter::{JitterBuffer, Playable};
pub use pack::{PackError, PackInfo};
pub use player::{EmptyShelf, Missing, Player, Shelf, Unit, fill_silence};
pub use prompts::{PromptError, PromptLibrary};
pub use receive::ReceiveStatistics;
pub use recorder::{RECORDING_LIMIT, Recorder, Recording};
pub use resample::{Double, Halve, double, halve};
pub use rtcp::{
    ReportBlock, RtcpError, RtcpPacket, SenderInfo, ntp_time, parse_rtcp, print_bye, print_report,
};
pub use rtp::{RTP_HEADER, RTP_PACKET_LIMIT, RtpError, RtpHeader, RtpPacket, is_rtcp};
pub use stream::{Ignored, Stream, StreamEvent, StreamSeed, StreamSettings};
pub use telephone_event::{EventPacket, EventReceiver, EventSender, TelephoneEvent};
pub use tone::{ToneGenerator, ToneRegion, amplitude, frequencies};
pub use tone_detector::ToneDetector;
pub use wav::{WavError, parse_wav, print_wav};

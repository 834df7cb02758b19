//! What goes into a phone and what comes out of it.

use std::net::SocketAddr;
use std::sync::Arc;

use jackfield_sip::Message;
use jackfield_vocabulary::{Digit, MediaTarget};

use crate::fetch::{FetchRequest, Fetched};
use crate::settings::Transport;

/// One call of one phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallNumber(pub u32);

/// What a phone is told.
#[derive(Clone, Debug)]
pub enum PhoneInput {
    /// Somebody does something with the phone.
    Command(PhoneCommand),
    /// The answer to [`PhoneOutput::Fetch`].
    Fetched {
        /// Which.
        id: u64,
        /// What became of it.
        fetched: Fetched,
    },
    /// The way asked for by [`PhoneOutput::Connect`] is there.
    Connected {
        /// The phone's own address on it.
        local: SocketAddr,
    },
    /// The way is not there, or no more.
    Disconnected {
        /// Why.
        reason: String,
    },
    /// A SIP message arrived.
    Sip(Message),
    /// The answer to [`AudioOrder::Open`]; no address when none is to be had.
    AudioOpened {
        /// Which call.
        call: CallNumber,
        /// Where the phone listens.
        local: Option<SocketAddr>,
    },
    /// A digit was heard in the audio.
    DigitHeard {
        /// Which call.
        call: CallNumber,
        /// The key.
        digit: Digit,
    },
    /// The moment of [`crate::Phone::next_timeout`] has come.
    Timeout,
}

/// What somebody does with the phone.
#[derive(Clone, Debug, PartialEq)]
pub enum PhoneCommand {
    /// Plug it in.
    PowerOn,
    /// Unregister and be silent.
    PowerOff,
    /// Unregister and boot again, as by the settings menu.
    Restart,
    /// Choose a line for the next call, the first is 1.
    LineKey(u32),
    /// Dial a number.
    Dial(String),
    /// Press the speed dial key, the first is 1.
    SpeedDial(u32),
    /// Press a key of the keypad: in a call it is sent, otherwise it is collected for `Call`.
    Press(Digit),
    /// Press a softkey.
    Softkey(Softkey),
    /// Send keys in this way from now on.
    DigitsBy(DigitWay),
    /// Play this into the call instead of silence.
    Play(Sound),
    /// Open the list of phone services, or the page of one of them by its place, the first is 1.
    Services(Option<usize>),
    /// Open a page by its address.
    Open(String),
    /// Choose an item of the page, the first is 1.
    Select(usize),
    /// Fill the next empty field of the page, or one by its name.
    Fill {
        /// Its name as the page shows it or in the query; the next empty one when there is none.
        field: Option<String>,
        /// What to write.
        text: String,
    },
    /// Send the fields.
    Submit,
}

/// The keys under the display.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Softkey {
    /// Dial what was keyed in.
    Call,
    /// Take the call that rings.
    Answer,
    /// Refuse the call that rings.
    Reject,
    /// Hang up.
    EndCall,
    /// Put the call on hold.
    Hold,
    /// Take the held call back.
    Resume,
    /// Begin or complete a transfer.
    Transfer,
    /// Begin or complete a conference.
    Conference,
    /// Leave a page.
    Exit,
}

/// How keys are sent in a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DigitWay {
    /// RFC 4733, or tones where the other side can't.
    #[default]
    Event,
    /// Tones in the audio.
    Tone,
    /// SIP INFO.
    Info,
}

/// Something to play into a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Sound {
    /// Nothing.
    Silence,
    /// One frequency in hertz for so many milliseconds; no end when there is none.
    Tone {
        /// In hertz.
        frequency: f32,
        /// In milliseconds.
        millis: Option<u32>,
    },
    /// Samples, played once.
    Samples {
        /// Linear, one channel.
        samples: Arc<[i16]>,
        /// Samples in a second.
        rate: u32,
    },
}

/// What a phone asks for and tells.
#[derive(Clone, Debug)]
pub enum PhoneOutput {
    /// Fetch this; answered by [`PhoneInput::Fetched`].
    Fetch(FetchRequest),
    /// Make a way for SIP; answered by [`PhoneInput::Connected`] or `Disconnected`.
    Connect {
        /// How.
        transport: Transport,
        /// Where to.
        server: SocketAddr,
    },
    /// Send a SIP message on that way.
    Transmit(Vec<u8>),
    /// Close it.
    Disconnect,
    /// Something for the audio of a call.
    Audio {
        /// Which call.
        call: CallNumber,
        /// What.
        order: AudioOrder,
    },
    /// Something happened.
    Event(PhoneEvent),
}

/// What the audio of a call shall do.
#[derive(Clone, Debug, PartialEq)]
pub enum AudioOrder {
    /// Take a port; answered by [`PhoneInput::AudioOpened`].
    Open,
    /// Send there and listen from now on.
    Connect(MediaTarget),
    /// Send a key.
    Digit {
        /// The key.
        digit: Digit,
        /// As a tone in the audio instead of an event.
        tone: bool,
    },
    /// Play this.
    Play(Sound),
    /// Give everything back.
    Close,
}

/// What happened to a phone.
#[derive(Clone, Debug, PartialEq)]
pub enum PhoneEvent {
    /// It read its files.
    Booted {
        /// The file that told it who it is; none when there was none.
        file: Option<String>,
        /// The numbers of its lines.
        numbers: Vec<String>,
    },
    /// A line is registered.
    Registered {
        /// Its number.
        number: String,
    },
    /// All lines are registered.
    InService,
    /// A line is not registered.
    NotRegistered {
        /// Its number.
        number: String,
        /// Why.
        reason: String,
    },
    /// It was told to restart, or to read its file again.
    Restarting {
        /// By what.
        reason: String,
    },
    /// It is switched off.
    Off,
    /// The display shows something else.
    Display(Vec<String>),
    /// A call changed.
    Call {
        /// Which.
        call: CallNumber,
        /// How it is now.
        state: CallState,
    },
    /// The other side pressed a key.
    Digit {
        /// In which call.
        call: CallNumber,
        /// The key.
        digit: Digit,
    },
    /// A transfer came to its end.
    Transferred {
        /// Did the other side take it?
        accepted: bool,
    },
}

/// How a call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallState {
    /// Dialled, no answer of any kind yet.
    Dialling {
        /// The number.
        number: String,
    },
    /// The other phone rings.
    RingingThere,
    /// The other side sends audio before it answers.
    EarlyMedia,
    /// This phone rings.
    RingingHere {
        /// Who calls: name and number.
        from: String,
    },
    /// Both talk.
    Connected {
        /// The other side as far as it is known.
        with: String,
    },
    /// This phone put the call on hold.
    Held,
    /// The other side put the call on hold.
    HeldThere,
    /// Over.
    Ended {
        /// Why: a SIP status and its words, or who hung up.
        reason: String,
    },
}

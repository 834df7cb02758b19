use super::*;

const OFFER: &str = "v=0\r\n\
    o=Cisco-SIPUA 3421 0 IN IP4 10.0.0.5\r\n\
    s=SIP Call\r\n\
    b=AS:4064\r\n\
    t=0 0\r\n\
    x-odd=kept? no\r\n\
    m=audio 20000 RTP/AVP 0 8 116 18 101\r\n\
    c=IN IP4 10.0.0.5\r\n\
    a=rtpmap:0 PCMU/8000\r\n\
    a=rtpmap:116 iLBC/8000\r\n\
    a=fmtp:116 mode=20\r\n\
    a=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-15\r\n\
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:abc\r\n\
    a=sendrecv\r\n\
    m=video 20002 RTP/AVP 97\r\n\
    a=rtpmap:97 H264/90000\r\n";

fn offer() -> Session {
    Session::parse(OFFER.replace("x-odd=kept? no\r\n", "z=2882844526 -1h\r\n").as_bytes()).unwrap()
}

fn origin() -> Origin {
    Origin::new(84, "192.0.2.1".parse().unwrap())
}

fn local(codecs: &[Codec]) -> LocalMedia {
    LocalMedia {
        address: "192.0.2.1:30000".parse().unwrap(),
        codecs: codecs.to_vec(),
        direction: Direction::SendRecv,
        ptime: Some(20),
    }
}

fn pcma_and_events() -> LocalMedia {
    local(&[Codec::new(8, "pcma", 8000), Codec::new(0, "PCMU", 8000), Codec::telephone_event(96)])
}

#[test]
fn a_description_prints_as_it_was_read() {
    let text = OFFER.replace("x-odd=kept? no\r\n", "z=2882844526 -1h\r\n");
    assert_eq!(offer().to_string(), text);
    let with_bare_ends = text.replace("\r\n", "\n");
    assert_eq!(Session::parse(with_bare_ends.as_bytes()).unwrap(), offer());
}

#[test]
fn codecs_with_and_without_a_map() {
    let offer = offer();
    let audio = &offer.media[0];
    let names: Vec<_> = audio.codecs().iter().map(|codec| codec.name.to_string()).collect();
    assert_eq!(names, ["PCMU", "PCMA", "iLBC", "G729", "telephone-event"]);
    assert_eq!(audio.codecs()[2].parameters.as_deref(), Some("mode=20"));
    assert_eq!(audio.telephone_event(8000), Some(101));
    assert_eq!(audio.attributes("crypto").count(), 1);
    assert_eq!(offer.address(audio), Some("10.0.0.5:20000".parse().unwrap()));
}

#[test]
fn an_answer_takes_our_first_codec_and_refuses_video() {
    let (answer, agreement) = Session::answer(&offer(), &origin(), &pcma_and_events()).unwrap();
    assert_eq!((agreement.codec.payload, agreement.event), (8, Some(101)));
    assert_eq!(agreement.direction, Direction::SendRecv);
    assert_eq!(
        answer.to_string(),
        "v=0\r\no=- 42 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         m=audio 30000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n\
         m=video 0 RTP/AVP 97\r\n"
    );
}

#[test]
fn the_offerer_reads_the_answer() {
    let ours = pcma_and_events();
    let offer = Session::offer(&origin(), &ours);
    let theirs = LocalMedia {
        address: "198.51.100.9:4000".parse().unwrap(),
        ..local(&[Codec::new(0, "PCMU", 8000), Codec::telephone_event(101)])
    };
    let (answer, theirs) = Session::answer(&offer, &origin(), &theirs).unwrap();
    let agreement = answer.accept(&offer, &ours).unwrap();
    assert_eq!(agreement.codec, theirs.codec);
    assert_eq!((&*agreement.codec.name, agreement.event), ("PCMU", Some(96)));
    assert_eq!(agreement.remote, "198.51.100.9:4000".parse().unwrap());
    assert_eq!(agreement.ptime, Some(20));
    let mut short = answer.clone();
    short.media.clear();
    assert_eq!(short.accept(&offer, &ours), Err(SdpFault::Mismatch));
}

#[test]
fn hold_in_all_its_forms() {
    let with = |line: &str| {
        let text = OFFER.replace("x-odd=kept? no\r\n", "").replace("a=sendrecv", line);
        Session::parse(text.as_bytes()).unwrap()
    };
    assert!(!with("a=sendrecv").holds_audio());
    assert!(!with("a=recvonly").holds_audio());
    assert!(with("a=sendonly").holds_audio());
    assert!(with("a=inactive").holds_audio());
    let old =
        OFFER.replace("x-odd=kept? no\r\n", "").replace("c=IN IP4 10.0.0.5", "c=IN IP4 0.0.0.0");
    let old = Session::parse(old.as_bytes()).unwrap();
    assert!(old.holds_audio());
    let at_session = OFFER.replace("x-odd=kept? no", "a=sendonly").replace("a=sendrecv", "a=x");
    assert!(Session::parse(at_session.as_bytes()).unwrap().holds_audio());
    let direction = |offer: &Session| {
        Session::answer(offer, &origin(), &pcma_and_events()).unwrap().1.direction
    };
    assert_eq!(direction(&with("a=sendonly")), Direction::RecvOnly);
    assert_eq!(direction(&with("a=inactive")), Direction::Inactive);
    assert_eq!(direction(&old), Direction::RecvOnly);
}

/// RFC 3264 section 8.4: the audio that goes on decides, and what stands at the media comes before what
/// stands at the session.
#[test]
fn what_decides_whether_audio_is_held() {
    let described = |session: &str, media: &str| {
        let head = "v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=-\r\nt=0 0\r\n";
        Session::parse(format!("{head}{session}{media}").as_bytes()).unwrap()
    };
    let (here, at) = ("c=IN IP4 10.0.0.5\r\n", "m=audio 4000 RTP/AVP 0\r\n");
    let goes_on = [
        ("", format!("{at}m=video 6000 RTP/AVP 96\r\na=inactive\r\n")),
        ("", format!("{at}m=video 6000 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\na=sendonly\r\n")),
        ("", format!("m=application 9 UDP/BFCP *\r\na=inactive\r\n{at}a=sendrecv\r\n")),
        ("", format!("m=image 0 udptl t38\r\na=sendonly\r\n{at}")),
        ("", format!("m=audio 0 RTP/AVP 8\r\na=inactive\r\n{at}")),
        ("", format!("{at}a=inactive\r\n{at}a=sendrecv\r\n")),
        ("a=sendonly\r\n", format!("{at}a=sendrecv\r\n")),
        ("a=inactive\r\n", format!("{at}a=recvonly\r\n")),
        ("", format!("{at}a=x-was:sendonly\r\na=sendonly-not\r\n")),
        ("", "m=video 6000 RTP/AVP 96\r\na=inactive\r\n".to_owned()),
    ];
    for (session, media) in goes_on {
        assert!(!described(&format!("{here}{session}"), &media).holds_audio(), "{session}{media}");
    }
    let other = described("c=IN IP4 0.0.0.0\r\n", &format!("{at}{here}"));
    assert!(!other.holds_audio(), "the media has a place of its own");
    for nowhere in ["IP4 0.0.0.0", "IP6 ::", "IP6 hold.invalid", "IP4 0.0.0.0/127 "] {
        for (session, media) in [
            (format!("c=IN {nowhere}\r\n"), at.to_owned()),
            (here.to_owned(), format!("{at}c=IN {nowhere}\r\na=sendrecv\r\n")),
        ] {
            assert!(described(&session, &media).holds_audio(), "{session}{media}");
        }
    }
    for held in ["a=sendonly", "a=sendonly \t", "a=inactive"] {
        let video = "m=video 6000 RTP/AVP 96\r\na=sendrecv\r\n";
        assert!(described(here, &format!("{at}{held}\r\n{video}")).holds_audio(), "{held}");
        assert!(described(&format!("{here}{held}\r\n"), at).holds_audio(), "{held}");
    }
}

#[test]
fn blanks_at_the_end_of_a_line_mean_nothing() {
    let text = "v=0 \r\no=- 1 1 IN IP4 10.0.0.5 \r\ns= \r\nc=IN IP4 10.0.0.5 \r\nt=0 0\r\n\
        m=audio 4000 RTP/AVP 8 \r\na=rtpmap:8 PCMA/8000 \r\na=sendrecv \r\n";
    let session = Session::parse(text.as_bytes()).unwrap();
    assert_eq!(session.to_string(), text.replace("8 \r\na=rtpmap", "8\r\na=rtpmap"));
    let (_, agreement) = Session::answer(&session, &origin(), &pcma_and_events()).unwrap();
    assert_eq!((agreement.codec.payload, agreement.direction), (8, Direction::SendRecv));
}

#[test]
fn media_of_another_kind_of_address_are_not_taken() {
    let text = OFFER.replace("x-odd=kept? no\r\n", "");
    let text = text.replace("c=IN IP4 10.0.0.5", "c=IN IP6 2001:db8::5");
    let session = Session::parse(text.as_bytes()).unwrap();
    let refused = Session::answer(&session, &origin(), &pcma_and_events());
    assert_eq!(refused.unwrap_err(), SdpFault::NothingInCommon);
    let second = format!("{text}m=audio 20000 RTP/AVP 8\r\nc=IN IP4 10.0.0.5\r\n");
    let session = Session::parse(second.as_bytes()).unwrap();
    let (_, agreement) = Session::answer(&session, &origin(), &pcma_and_events()).unwrap();
    assert_eq!(agreement.index, 2);
}

#[test]
fn encrypted_or_foreign_audio_is_not_taken() {
    let ours = pcma_and_events();
    let text = OFFER.replace("x-odd=kept? no\r\n", "");
    let encrypted = Session::parse(text.replace("RTP/AVP", "RTP/SAVP").as_bytes()).unwrap();
    let refused = Session::answer(&encrypted, &origin(), &ours);
    assert_eq!(refused.unwrap_err(), SdpFault::NothingInCommon);
    let g722 = local(&[Codec::new(9, "G722", 8000)]);
    assert_eq!(Session::answer(&offer(), &origin(), &g722).unwrap_err(), SdpFault::NothingInCommon);
}

#[test]
fn versions_go_up() {
    assert_eq!(origin().next().version.as_ref(), "2");
}

#[test]
fn a_media_line_has_so_many_formats_and_no_more() {
    let with = |count: usize| {
        let formats = " 0".repeat(count);
        let text = OFFER.replace("x-odd=kept? no\r\n", "").replace(" 0 8 116 18 101", &formats);
        Session::parse(text.as_bytes()).map(|session| session.media[0].formats.len())
    };
    assert_eq!(with(limits::SDP_FORMATS), Ok(limits::SDP_FORMATS));
    assert_eq!(with(limits::SDP_FORMATS + 1), Err(SdpFault::TooLong));
}

#[test]
fn broken_descriptions_are_refused() {
    let fault = |text: &str| Session::parse(text.as_bytes()).unwrap_err();
    assert_eq!(Session::parse(b"v=0\r\n\xff").unwrap_err(), SdpFault::NotUtf8);
    assert_eq!(fault(""), SdpFault::Version);
    assert_eq!(fault("v=1\r\no=- 1 1 IN IP4 1.2.3.4"), SdpFault::Version);
    assert_eq!(fault(OFFER), SdpFault::Line);
    assert_eq!(fault("v=0\r\ns=-"), SdpFault::Origin);
    assert_eq!(fault("v=0\r\no=- x 1 IN IP4 1.2.3.4"), SdpFault::Origin);
    assert_eq!(fault("v=0\r\no=- 1 1 IN IP4 ::1"), SdpFault::Origin);
    let start = "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n";
    assert_eq!(fault(&format!("{start}c=IN IP4 1.2.3")), SdpFault::Connection);
    for media in ["audio", "audio 1 RTP/AVP", "audio x RTP/AVP 0", "audio 65536 RTP/AVP 0"] {
        assert_eq!(fault(&format!("{start}m={media}")), SdpFault::Media, "{media}");
    }
    assert_eq!(fault(&format!("{start}{}", "a=x\n".repeat(2000))), SdpFault::TooLong);
    assert_eq!(fault(&format!("{start}{}", "m=a 1 b 0\n".repeat(40))), SdpFault::TooLong);
    assert_eq!(fault(&format!("{start}m=a 1 b{}", " 0".repeat(70))), SdpFault::TooLong);
}

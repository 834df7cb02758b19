use super::*;

/// The example of RFC 7616 section 3.9.1, in both algorithms.
#[test]
fn the_example_of_rfc_7616() {
    for (algorithm, expected) in [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let mut challenge = Challenge::new("http-auth@example.org", nonce, algorithm, false);
        challenge.opaque = Some("FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS".into());
        challenge.qop_auth_int = true;
        let credentials = challenge
            .answer(&Login {
                username: "Mufasa",
                password: "Circle of Life",
                method: "GET",
                uri: "/dir/index.html",
                cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                count: 1,
                body: b"",
            })
            .unwrap();
        assert_eq!(&*credentials.response, expected);
        let ha1 = algorithm.ha1("Mufasa", "http-auth@example.org", "Circle of Life");
        assert!(credentials.verify("GET", &ha1, b""));
        assert!(!credentials.verify("POST", &ha1, b""));
        let other = algorithm.ha1("Mufasa", "http-auth@example.org", "circle of life");
        assert!(!credentials.verify("GET", &other, b""));
    }
}

/// The example of RFC 2617 section 3.5, and RFC 2069's form of it.
#[test]
fn the_examples_of_older_rfcs() {
    let text = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", \
        nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", qop=auth, \
        nc=00000001, cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", \
        opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
    let ha1 = Algorithm::Md5.ha1("Mufasa", "testrealm@host.com", "Circle Of Life");
    assert_eq!(ha1, "939e7578ed9e3c518a452acee763bce9");
    assert!(Credentials::parse(text).unwrap().verify("GET", &ha1, b""));
    let old = text.replace("qop=auth, nc=00000001, cnonce=\"0a4f113b\", ", "");
    let old = old.replace("6629fae49393a05397450978507c4ef1", "670fd8c2df070c60b045671b8b24ff02");
    assert!(Credentials::parse(&old).unwrap().verify("GET", &ha1, b""));
}

fn login(count: u32) -> Login<'static> {
    Login {
        username: "2000",
        password: "secret",
        method: "REGISTER",
        uri: "sip:example.com",
        cnonce: "c\"1",
        count,
        body: b"body",
    }
}

#[test]
fn every_algorithm_and_protection_can_be_verified() {
    for algorithm in Algorithm::ALL {
        for (auth, body) in [(true, false), (false, true)] {
            let mut challenge = Challenge::new("r \"x\"", "n", algorithm, false);
            challenge.qop_auth = auth;
            challenge.qop_auth_int = body;
            let sent = challenge.answer(&login(1)).unwrap().to_string();
            let credentials = Credentials::parse(&sent).unwrap();
            let ha1 = algorithm.base().ha1("2000", "r \"x\"", "secret");
            assert!(credentials.verify("REGISTER", &ha1, b"body"), "{algorithm}");
            assert_eq!(credentials.verify("REGISTER", &ha1, b"other"), !body, "{algorithm}");
        }
    }
}

/// What clients write that know the RFCs in part: no count, a short one, or one in capitals.
#[test]
fn counts_as_clients_write_them() {
    let ha1 = Algorithm::Md5.ha1("a", "r", "secret");
    let hash = |text: String| Algorithm::Md5.hash(&[text.as_bytes()]);
    let ha2 = hash("REGISTER:sip:x".into());
    for (more, hashed) in [
        ("qop=auth", "n".to_owned()),
        ("qop=auth, cnonce=\"c\"", "n".into()),
        ("qop=auth, cnonce=\"c\"", "n:00000001:c:auth".into()),
        ("qop=auth, cnonce=\"c\", nc=1", "n:1:c:auth".into()),
        ("qop=\"auth\", cnonce=c, nc=\"0000000A\"", "n:0000000A:c:auth".into()),
    ] {
        let response = hash(format!("{ha1}:{hashed}:{ha2}"));
        let text = format!(
            "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", \
             response=\"{response}\", {more}"
        );
        let credentials = Credentials::parse(&text).unwrap();
        assert!(credentials.verify("REGISTER", &ha1, b""), "{more}");
        assert!(!credentials.verify("INVITE", &ha1, b""), "{more}");
        assert_eq!(Credentials::parse(&credentials.to_string()).unwrap(), credentials);
    }
}

#[test]
fn challenges_print_as_they_are_read() {
    let challenges = [Algorithm::Sha256, Algorithm::Md5]
        .map(|algorithm| Challenge::new("ccmsipline", "a1b2", algorithm, true));
    for challenge in &challenges {
        assert_eq!(Challenge::parse(&challenge.to_string()).as_ref(), Ok(challenge));
        assert!(challenge.stale && challenge.qop_auth);
    }
    assert_eq!(Challenge::strongest(&challenges), Some(&challenges[0]));
    let unknown = Challenge::parse("Digest realm=\"r\", nonce=\"n\", algorithm=X").unwrap();
    assert_eq!(unknown.answer(&login(1)), None);
    assert_eq!(Challenge::strongest(&[unknown]), None);
}

#[test]
fn broken_credentials_are_refused() {
    let good = "Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"u\", response=\"x\"";
    assert!(Credentials::parse(good).is_ok());
    for bad in [
        "",
        "Digest",
        "Basic YTpi",
        "NoOneKnowsThisScheme opaque-data=here",
        &good.replace("realm=\"r\", ", ""),
        &good.replace("\"r\"", "\"r"),
        &good.replace("\"r\"", "\"r\"x"),
        &format!("{good}, realm=\"s\""),
        &format!("{good}, algorithm=NEW"),
        &format!("{good}, qop=auth, nc=1"),
        &format!("{good}, qop=auth, nc=000000001, cnonce=\"c\""),
        &format!("{good}, qop=auth, nc=+1, cnonce=\"c\""),
        &format!("{good}, qop=auth, nc=xxxxxxxx, cnonce=\"c\""),
        &format!("{good}, qop=new, nc=00000001, cnonce=\"c\""),
        &format!("{good}, a b=c"),
        &format!("{good}, alone"),
    ] {
        assert!(Credentials::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn hashes_stay_out_of_logs() {
    let credentials = Challenge::new("r", "n", Algorithm::Md5, false).answer(&login(1)).unwrap();
    assert!(!format!("{credentials:?}").contains(&*credentials.response));
}

//! One HTTP/1.1 GET, without sockets: enough for files and phone services. By content length, by
//! chunks, or to the end of the connection.

use thiserror::Error;

use super::{FetchRequest, Fetched, LARGEST};

/// One page being read.
#[derive(Debug, Default)]
pub struct HttpClient {
    received: Vec<u8>,
}

/// A page that arrived whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpPage {
    /// The status code.
    pub status: u16,
    /// Where else to look, for a redirection.
    pub location: Option<String>,
    /// The page.
    pub body: Vec<u8>,
}

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HttpFault {
    /// The first line or a header line is broken.
    #[error("HTTP: broken answer")]
    Broken,
    /// Head or page are larger than a phone takes.
    #[error("HTTP: too large")]
    Large,
    /// The connection ended too early.
    #[error("HTTP: the connection ended in the middle")]
    Cut,
}

impl HttpClient {
    /// A client and what to send.
    pub fn new(request: &FetchRequest, user_agent: &str) -> (Self, Vec<u8>) {
        let path = if request.path.starts_with('/') {
            request.path.clone()
        } else {
            format!("/{}", request.path)
        };
        let path = path.replace([' ', '\r', '\n'], "%20");
        let mut text = format!(
            "GET {path} HTTP/1.1\r\nHost: {}:{}\r\nUser-Agent: {user_agent}\r\n\
             Accept: */*\r\nConnection: close\r\n",
            request.host, request.port
        );
        for (name, value) in &request.headers {
            text.push_str(&format!("{name}: {}\r\n", value.replace(['\r', '\n'], " ")));
        }
        text.push_str("\r\n");
        (Self::default(), text.into_bytes())
    }

    /// Takes what was received; answers the page when it is whole.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<HttpPage>, HttpFault> {
        if self.received.len() + bytes.len() > LARGEST + HEAD {
            return Err(HttpFault::Large);
        }
        self.received.extend_from_slice(bytes);
        self.page(false)
    }

    /// The connection ended.
    pub fn end(&mut self) -> Result<HttpPage, HttpFault> {
        self.page(true)?.ok_or(HttpFault::Cut)
    }

    fn page(&self, ended: bool) -> Result<Option<HttpPage>, HttpFault> {
        let Some(head) = find(&self.received, b"\r\n\r\n") else {
            return if self.received.len() > HEAD { Err(HttpFault::Large) } else { Ok(None) };
        };
        let text = core::str::from_utf8(&self.received[..head]).map_err(|_| HttpFault::Broken)?;
        let status = status(text)?;
        let rest = &self.received[head + 4..];
        if status == 100 {
            let next = Self { received: rest.to_vec() };
            return next.page(ended);
        }
        let body = match (header(text, "transfer-encoding"), header(text, "content-length")) {
            _ if matches!(status, 204 | 304) => Some(Vec::new()),
            (Some(coding), _) if coding.eq_ignore_ascii_case("chunked") => chunks(rest)?,
            (Some(_), _) => return Err(HttpFault::Broken),
            (None, Some(length)) => {
                let length: usize = length.parse().map_err(|_| HttpFault::Broken)?;
                if length > LARGEST {
                    return Err(HttpFault::Large);
                }
                rest.get(..length).map(<[u8]>::to_vec)
            }
            (None, None) => ended.then(|| rest.to_vec()),
        };
        let location = header(text, "location").map(str::to_owned);
        Ok(body.map(|body| HttpPage { status, location, body }))
    }
}

impl From<HttpPage> for Fetched {
    fn from(page: HttpPage) -> Self {
        match (page.status, page.location) {
            (200..=299, _) => Self::Found(page.body),
            (301 | 302 | 303 | 307 | 308, Some(location)) => Self::Moved(location),
            (404 | 410, _) => Self::NotFound,
            (status, _) => Self::Failed(format!("HTTP: status {status}")),
        }
    }
}

fn status(head: &str) -> Result<u16, HttpFault> {
    let line = head.lines().next().unwrap_or_default();
    let rest = line.strip_prefix("HTTP/1.").ok_or(HttpFault::Broken)?;
    let code = rest.split(' ').nth(1).and_then(|code| code.parse().ok());
    code.filter(|code| (100..600).contains(code)).ok_or(HttpFault::Broken)
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The whole body, or none when the last chunk is not there yet.
fn chunks(mut rest: &[u8]) -> Result<Option<Vec<u8>>, HttpFault> {
    let mut body = Vec::new();
    loop {
        let Some(end) = find(rest, b"\r\n") else { return Ok(None) };
        let line = core::str::from_utf8(&rest[..end]).map_err(|_| HttpFault::Broken)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| HttpFault::Broken)?;
        if size > LARGEST {
            return Err(HttpFault::Large);
        }
        rest = &rest[end + 2..];
        if size == 0 {
            return Ok(Some(body));
        }
        let (Some(chunk), Some(next)) = (rest.get(..size), rest.get(size + 2..)) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk);
        rest = next;
    }
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

const HEAD: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(text: &str) -> Result<Option<HttpPage>, HttpFault> {
        HttpClient::default().receive(text.as_bytes())
    }

    #[test]
    fn length_chunks_and_end_of_connection() {
        let whole = page("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc").unwrap().unwrap();
        assert_eq!(Fetched::from(whole), Fetched::Found(b"abc".to_vec()));
        let chunked =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n";
        assert_eq!(page(chunked).unwrap().unwrap().body, b"abc");
        let mut client = HttpClient::default();
        assert_eq!(client.receive(b"HTTP/1.0 200 OK\r\n\r\nabc"), Ok(None));
        assert_eq!(client.end().unwrap().body, b"abc");
    }

    #[test]
    fn every_cut_of_an_answer_waits_for_the_rest() {
        let text = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
        for cut in 0..text.len() {
            let mut client = HttpClient::default();
            assert_eq!(client.receive(&text.as_bytes()[..cut]), Ok(None), "{cut}");
            let page = client.receive(&text.as_bytes()[cut..]).unwrap().unwrap();
            assert_eq!(Fetched::from(page), Fetched::NotFound);
        }
        assert_eq!(HttpClient::default().end(), Err(HttpFault::Cut));
    }

    #[test]
    fn redirections_and_broken_answers() {
        let moved = page("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(Fetched::from(moved.unwrap().unwrap()), Fetched::Moved("/b".into()));
        for bad in [
            "SIP/2.0 200 OK\r\n\r\n",
            "HTTP/1.1 abc\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert!(page(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_can_not_add_header_lines() {
        let request = FetchRequest {
            id: 1,
            door: crate::Door::Http,
            host: [127, 0, 0, 1].into(),
            port: 6970,
            path: "a b\r\nX: y".into(),
            headers: Vec::new(),
        };
        let (_, text) = HttpClient::new(&request, "phone");
        assert!(!String::from_utf8(text).unwrap().contains("\r\nX:"));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fall(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut client = HttpClient::default();
            let text = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &bytes[..]].concat();
            let _ = client.receive(&text);
            let _ = client.end();
        }
    }
}

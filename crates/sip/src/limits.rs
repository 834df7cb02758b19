//! What the network may ask of a parser at most. Whatever is over a limit is refused, not cut.

/// Octets of a whole message.
pub const MESSAGE: usize = 64 * 1024;
/// Header lines of a message.
pub const HEADER_LINES: usize = 256;
/// Octets of one header value.
pub const HEADER_VALUE: usize = 8 * 1024;
/// Octets of a request line or status line.
pub const START_LINE: usize = 4 * 1024;
/// Elements of a comma-separated list, over all lines of that header.
pub const LIST: usize = 64;
/// Parameters of one header element or URI, and headers of a URI.
pub const PARAMS: usize = 64;
/// Lines of a session description.
pub const SDP_LINES: usize = 1024;
/// Media descriptions of a session description.
pub const SDP_MEDIA: usize = 32;
/// Formats of one media line.
pub const SDP_FORMATS: usize = 64;

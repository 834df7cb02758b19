//! RTP: packets, jitter, codecs, digits, playing and recording; pure parts and one driver.

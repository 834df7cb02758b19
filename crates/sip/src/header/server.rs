//! `Server`: what software answers.

text_header! {
    /// What software answers.
    Server
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::header::Header;

    #[test]
    fn the_text_is_kept() {
        assert_eq!(&*Server::parse(" Jackfield/1.0 ").unwrap().0, "Jackfield/1.0");
    }
}

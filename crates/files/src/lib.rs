//! What phones fetch, rendered by pure functions.

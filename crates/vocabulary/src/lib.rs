//! The words: ids, the call model, commands, events, refusals and media commands.

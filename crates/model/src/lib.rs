//! What is administered: objects, rules across objects, operations, texts and the directory.

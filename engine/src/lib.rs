//! Reads, caches and serves histories of AI-coding sessions: the system under test of highwater.

//! Realistic, reproducible corpora of AI-coding sessions, with a manifest of what is true of them.

//! The session files of each tool, turned into events: from any place of a file on, one record at a time.

"""The door: untrusted files are read, de-identified and normalised in throw-away processes without Django."""

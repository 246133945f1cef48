"""The door: untrusted files are parsed, de-identified and normalised here, in throw-away processes without Django."""

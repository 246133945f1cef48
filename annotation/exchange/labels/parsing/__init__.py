"""Files of labels read into statements, in throw-away processes without Django."""

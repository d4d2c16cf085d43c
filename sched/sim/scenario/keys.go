package scenario

// Keys are those of a scenario file itself, tables included.
func Keys() []string { return keysOf(nil) }

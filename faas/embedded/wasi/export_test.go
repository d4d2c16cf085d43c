package wasi

// Prepare is for fuzzing.
func Prepare(module []byte, pages uint32) ([]byte, error) { return prepare(module, pages) }

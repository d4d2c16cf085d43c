package sched

import "fmt"

// Text binds text that parse takes in; an error of it says what is wrong with
// the text. The default is not parsed.
func (s *Settings) Text(field *string, key, value, accepts, meaning string, parse func(string) error) {
	*field = value
	s.bound = append(s.bound, binding{Parameter{key, value, accepts, meaning}, func(text string) error {
		if err := parse(text); err != nil {
			return fmt.Errorf("%w %s=%q: accepted is %s: %w", ErrBadValue, key, text, accepts, err)
		}
		*field = text
		return nil
	}})
}

package scenario

import (
	"reflect"
	"strconv"
	"strings"
)

// pathOf splits "nodes[1].speed" into "nodes", "1", "speed".
func pathOf(field string) []string {
	field = strings.NewReplacer("[", ".", "]", "").Replace(field)
	return strings.Split(field, ".")
}

// lineOf is the line of a key in TOML source, as people write it; 0 if it is
// not found. A number in the path is the index in an array of tables; without one the
// first table that has the key is meant. What has no line of its own is found by
// what it is in.
func lineOf(source string, path []string) int {
	names, index := withoutIndex(path)
	for n := len(names); n > 0; n-- {
		if line := find(source, strings.Join(names[:n], "."), index); line > 0 {
			return line
		}
	}
	return 0
}

// find is the line of the key or the table of that full name.
func find(source, name string, index int) int {
	table := ""
	seen := map[string]int{}
	for i, line := range strings.Split(source, "\n") {
		line = strings.TrimSpace(line)
		full := ""
		if header, ok := headerOf(line); ok {
			table, full = header, header
			seen[table]++
		} else if key, _, ok := strings.Cut(line, "="); ok {
			full = strings.TrimPrefix(table+"."+strings.Trim(strings.TrimSpace(key), `"'`), ".")
		}
		if full == name && (index < 0 || seen[table] == index+1) {
			return i + 1
		}
	}
	return 0
}

func withoutIndex(path []string) (names []string, index int) {
	index = -1
	for _, name := range path {
		if i, err := strconv.Atoi(name); err == nil {
			index = i
		} else {
			names = append(names, name)
		}
	}
	return names, index
}

func headerOf(line string) (name string, ok bool) {
	if !strings.HasPrefix(line, "[") {
		return "", false
	}
	end := strings.Index(line, "]")
	if end < 0 {
		return "", false
	}
	return strings.TrimSpace(strings.TrimLeft(line[:end], "[")), true
}

// keysOf are the keys that a table may have.
func keysOf(table []string) []string {
	t := reflect.TypeFor[file]()
	for _, name := range table {
		t = elem(fieldOf(t, name))
		if t == nil || t.Kind() != reflect.Struct {
			return nil
		}
	}
	var keys []string
	for i := range t.NumField() {
		keys = append(keys, t.Field(i).Tag.Get("toml"))
	}
	return keys
}

func fieldOf(t reflect.Type, key string) reflect.Type {
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("toml") == key {
			return t.Field(i).Type
		}
	}
	return nil
}

// elem is what a pointer or a list is of.
func elem(t reflect.Type) reflect.Type {
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	return t
}

// nearest is the word that takes the fewest changes of letters, "" if more than
// half of them would have to change.
func nearest(word string, words []string) string {
	best, least := "", len(word)/2+1
	for _, w := range words {
		if d := distance(word, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, before+1)
		}
	}
	return row[len(b)]
}

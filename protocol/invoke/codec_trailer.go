package invoke

import "github.com/p2pfaas/p2pfaas/protocol/load"

// Fields of invokepb.Trailer.
const (
	trlFields = 1<<3 | asBytes
	trlCode   = 2<<3 | asVarint
	trlText   = 3<<3 | asBytes
	trlSender = 4<<3 | asBytes
)

// trailer ends a chunked body; code is 0 if the body is whole.
type trailer struct {
	fields Header
	code   Code
	text   string
}

// appendTrailer appends a whole frame, as the trailer of a Call or a Reply by t.
func appendTrailer(b []byte, t tag, r *trailer, n *load.News) []byte {
	b, frame := openFrame(b)
	b, at := open(b, t)
	b = appendHeader(b, trlFields, r.fields)
	b = appendUint(b, trlCode, uint64(r.code))
	b = appendText(b, trlText, r.text, maxText)
	b = load.AppendNews(b, number(trlSender), 0, n)
	return shut(shut(b, at), frame)
}

func parseTrailer(b []byte, r *trailer, n *load.News) error {
	c := cursor{b: b, text: string(b)}
	*n = load.News{Others: n.Others[:0]}
	var f field
	for c.more() {
		if err := c.next(&f); err != nil {
			return err
		}
		if err := r.set(&c, &f, n); err != nil {
			return err
		}
	}
	return nil
}

func (r *trailer) set(c *cursor, f *field, n *load.News) error {
	switch f.tag {
	case trlFields:
		return parseHeader(c.sub(f), &r.fields)
	case trlCode:
		r.code = Code(f.v)
	case trlText:
		return c.str(f, &r.text)
	case trlSender:
		return parseSender(f.b, n)
	}
	return nil
}

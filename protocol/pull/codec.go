package pull

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/peer"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/p2pfaas/p2pfaas/protocol/load"
	"github.com/p2pfaas/p2pfaas/protocol/streams"
)

// Fields of pullpb.Ask and pullpb.Answer; the first two are those of both.
const (
	fieldSender protowire.Number = 1
	fieldOthers protowire.Number = 2

	askFrom   protowire.Number = 3
	askPasses protowire.Number = 4
	askNotice protowire.Number = 5
	askAsked  protowire.Number = 6

	answerOK       protowire.Number = 3
	answerBy       protowire.Number = 4
	answerMessages protowire.Number = 5
)

func appendAsk(b []byte, a *Ask, n *load.News) []byte {
	b = load.AppendNews(b, fieldSender, fieldOthers, n)
	b = appendID(b, askFrom, a.From)
	b = appendUint(b, askPasses, uint64(max(0, a.Passes)))
	b = appendUint(b, askNotice, protowire.EncodeBool(a.Notice))
	for _, id := range a.Asked[:min(len(a.Asked), MaxAsked)] {
		b = appendID(b, askAsked, id)
	}
	return b
}

func appendAnswer(b []byte, a *Answer, n *load.News) []byte {
	b = load.AppendNews(b, fieldSender, fieldOthers, n)
	b = appendUint(b, answerOK, protowire.EncodeBool(a.OK))
	b = appendID(b, answerBy, a.By)
	return appendUint(b, answerMessages, uint64(max(0, a.Messages)))
}

func appendID(b []byte, num protowire.Number, id peer.ID) []byte {
	if id == "" {
		return b
	}
	b = protowire.AppendTag(b, num, protowire.BytesType)
	return protowire.AppendString(b, string(id))
}

func appendUint(b []byte, num protowire.Number, v uint64) []byte {
	if v == 0 {
		return b
	}
	b = protowire.AppendTag(b, num, protowire.VarintType)
	return protowire.AppendVarint(b, v)
}

// parseAsk reads a pullpb.Ask; n's Others are reused. Errors wrap ErrMalformed.
func parseAsk(b []byte, a *Ask, n *load.News) error {
	*a = Ask{}
	return parse(b, n, func(num protowire.Number, v uint64, sub []byte) (err error) {
		switch num {
		case askFrom:
			a.From, err = peer.IDFromBytes(sub)
		case askPasses:
			a.Passes = int(min(v, MaxPasses))
		case askNotice:
			a.Notice = protowire.DecodeBool(v)
		case askAsked:
			var id peer.ID
			if id, err = peer.IDFromBytes(sub); err == nil && len(a.Asked) < MaxAsked {
				a.Asked = append(a.Asked, id)
			}
		}
		return err
	})
}

// parseAnswer reads a pullpb.Answer; n's Others are reused. Errors wrap
// ErrMalformed.
func parseAnswer(b []byte, a *Answer, n *load.News) error {
	*a = Answer{}
	return parse(b, n, func(num protowire.Number, v uint64, sub []byte) (err error) {
		switch num {
		case answerOK:
			a.OK = protowire.DecodeBool(v)
		case answerBy:
			a.By, err = peer.IDFromBytes(sub)
		case answerMessages:
			a.Messages = int(min(v, 2*MaxPasses))
		}
		return err
	})
}

// parse reads the news, and hands each other field of a known type to take.
func parse(b []byte, n *load.News, take func(num protowire.Number, v uint64, sub []byte) error) error {
	*n = load.News{Others: n.Others[:0]}
	for len(b) > 0 {
		num, typ, used := protowire.ConsumeTag(b)
		if used < 0 {
			return fmt.Errorf("read tag: %w", ErrMalformed)
		}
		b = b[used:]
		var (
			v   uint64
			sub []byte
		)
		switch typ {
		case protowire.VarintType:
			v, used = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			sub, used = protowire.ConsumeBytes(b)
		default:
			num, used = 0, protowire.ConsumeFieldValue(num, typ, b)
		}
		if used < 0 {
			return fmt.Errorf("read field %d: %w", num, ErrMalformed)
		}
		b = b[used:]
		if err := field(num, v, sub, n, take); err != nil {
			return fmt.Errorf("read field %d: %w: %w", num, ErrMalformed, err)
		}
	}
	return nil
}

func field(num protowire.Number, v uint64, sub []byte, n *load.News, take func(protowire.Number, uint64, []byte) error) error {
	switch {
	case num == fieldSender && sub != nil:
		n.Has = true
		return load.ParseReport(sub, &n.Sender)
	case num == fieldOthers && sub != nil:
		var e load.Entry
		err := load.ParseEntry(sub, &e)
		if err == nil && len(n.Others) < load.MaxEntries {
			n.Others = append(n.Others, e)
		}
		return err
	case num <= fieldOthers:
		return nil // of a type that this version does not know
	}
	return take(num, v, sub)
}

// frame is a message after its length, in memory of its own.
func frame(message []byte) []byte {
	return append(binary.AppendUvarint(make([]byte, 0, len(message)+binary.MaxVarintLen16), uint64(len(message))), message...)
}

// readFrame reads one message.
func readFrame(r *bufio.Reader, buf []byte) ([]byte, error) {
	b, err := streams.ReadFrame(r, buf, MaxMessage)
	if errors.Is(err, streams.ErrTooLarge) {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return b, err
}

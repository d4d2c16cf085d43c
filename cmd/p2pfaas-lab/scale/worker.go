package scale

import (
	"bufio"
	"context"
	"fmt"
	"io"

	"github.com/p2pfaas/p2pfaas/protocol/host"
)

// Work is the process of one crowd of extras, the first of which has that number;
// bootstrap is the address of one in another process, "" for none. It says the
// address of its first, then how many members the one knows that knows fewest,
// each time that it is sent a line, until there are none.
func Work(ctx context.Context, first, count int, bootstrap string, in io.Reader, out io.Writer) (err error) {
	c := &crowd{first: first}
	defer func() {
		if closed := c.close(); err == nil {
			err = closed
		}
	}()
	for range count {
		known, err := host.ParseAddrInfos(addresses(bootstrap))
		if err != nil {
			return err
		}
		if err := c.grow(ctx, known); err != nil {
			return err
		}
		if bootstrap == "" {
			bootstrap = c.extras[0].host.Addrs()[0].String()
		}
	}
	fmt.Fprintln(out, c.extras[0].host.Addrs()[0])
	for lines := bufio.NewScanner(in); lines.Scan() && ctx.Err() == nil; {
		fmt.Fprintln(out, c.least())
	}
	return nil
}

func addresses(one string) []string {
	if one == "" {
		return nil
	}
	return []string{one}
}

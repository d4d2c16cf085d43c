package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"time"

	"github.com/p2pfaas/p2pfaas/protocol/client"
	"github.com/p2pfaas/p2pfaas/protocol/invoke"
)

// exampleNode stands for a node of a mesh: it has the functions upper, lines and
// wait.
func exampleNode() *node {
	n, err := startNode(functions{
		"upper": func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
			c.Start()
			body, err := io.ReadAll(c.Body)
			return text(strings.ToUpper(string(body))), err
		},
		"lines": func(_ context.Context, c *invoke.Call) (*invoke.Answer, error) {
			c.Start()
			r, w := io.Pipe()
			go func() { // ends with the request's body, or when nobody reads the answer
				in := bufio.NewScanner(c.Body)
				for i := 1; in.Scan(); i++ {
					if _, err := fmt.Fprintf(w, "%d: %s\n", i, in.Text()); err != nil {
						return
					}
				}
				w.CloseWithError(in.Err())
			}()
			return &invoke.Answer{Status: 200, Size: -1, Body: r}, nil
		},
		"wait": func(ctx context.Context, c *invoke.Call) (*invoke.Answer, error) {
			c.Start()
			<-ctx.Done()
			return nil, context.Cause(ctx)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	return n
}

func Example() {
	node := exampleNode()
	defer node.end()
	ctx := context.Background()

	c, err := client.Dial(ctx, node.addr) // such as /ip4/192.168.1.20/tcp/18081/p2p/12D3Koo…
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	answer, err := c.Invoke(ctx, &client.Request{
		Function: "upper",
		Body:     strings.NewReader("hello mesh"),
		Deadline: time.Minute,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d %s\n", answer.Status, body)
	// Output: 200 HELLO MESH
}

func ExampleClient_Call() {
	node := exampleNode()
	defer node.end()
	ctx := context.Background()
	c, err := client.Dial(ctx, node.addr)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	body, err := c.Call(ctx, "upper", []byte("hello"))
	fmt.Printf("%s %v\n", body, err)

	_, err = c.Call(ctx, "lower", []byte("HELLO"))
	fmt.Println(errors.Is(err, client.ErrNoFunction))
	// Output:
	// HELLO <nil>
	// true
}

// Request and answer are streams: each line is answered before the next one is
// written.
func ExampleClient_Invoke_streaming() {
	node := exampleNode()
	defer node.end()
	ctx := context.Background()
	c, err := client.Dial(ctx, node.addr)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	body, lines := io.Pipe()
	answer, err := c.Invoke(ctx, &client.Request{Function: "lines", Body: body})
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	answers := bufio.NewScanner(answer.Body)
	for _, line := range []string{"one", "two", "three"} {
		fmt.Fprintln(lines, line)
		answers.Scan()
		fmt.Println(answers.Text())
	}
	lines.Close()
	fmt.Println("more:", answers.Scan(), answers.Err())
	// Output:
	// 1: one
	// 2: two
	// 3: three
	// more: false <nil>
}

func ExampleClient_Invoke_deadline() {
	node := exampleNode()
	defer node.end()
	ctx := context.Background()
	c, err := client.Dial(ctx, node.addr)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	_, err = c.Invoke(ctx, &client.Request{Function: "wait", Deadline: 50 * time.Millisecond})
	fmt.Println(errors.Is(err, client.ErrDeadline), errors.Is(err, context.DeadlineExceeded))
	// Output: true true
}

// Cancelling the context ends the function, wherever in the mesh it runs.
func ExampleClient_Invoke_cancel() {
	node := exampleNode()
	defer node.end()
	c, err := client.Dial(context.Background(), node.addr)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel) // the user presses a key
	_, err = c.Invoke(ctx, &client.Request{Function: "wait"})
	fmt.Println(errors.Is(err, client.ErrCancelled))
	// Output: true
}

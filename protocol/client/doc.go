// Package client is the SDK: a Go program uses it to invoke functions of a mesh
// over libp2p, with bodies streamed both ways, deadlines, cancellation and
// failover from one node to the next.
//
//	package main
//
//	import (
//		"context"
//		"errors"
//		"io"
//		"log"
//		"os"
//		"time"
//
//		"github.com/p2pfaas/p2pfaas/protocol/client"
//	)
//
//	func main() {
//		ctx := context.Background()
//		c, err := client.Discover(ctx, "default") // or client.Dial(ctx, "/ip4/192.168.1.20/tcp/18081/p2p/12D3Koo…")
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer c.Close()
//
//		picture, err := os.Open("picture.jpg")
//		if err != nil {
//			log.Fatal(err)
//		}
//		answer, err := c.Invoke(ctx, &client.Request{
//			Function:   "resize",
//			Query:      "width=640",
//			Body:       picture,
//			Idempotent: true, // may run twice: repeated elsewhere if a node dies
//			Deadline:   2 * time.Second,
//		})
//		var e *client.Error
//		switch {
//		case errors.Is(err, client.ErrRefused) && errors.As(err, &e):
//			log.Fatal("the mesh is full, try again in ", e.RetryAfter)
//		case err != nil:
//			log.Fatal(err)
//		}
//		defer answer.Body.Close()
//		if _, err := io.Copy(os.Stdout, answer.Body); err != nil {
//			log.Fatal(err) // client.ErrTruncated if the answer was cut short
//		}
//	}
//
// [Client.Call] is the short form for a function of bytes to bytes.
//
// # Which node
//
// A client keeps a connection to each node that it was given or has found, and
// sends to one of them until that one fails; the mesh decides where the function
// runs. When a node is not reached, or promises that it did not start the
// function (it is full, or going away), the next one is asked at once, as long
// as the context has time and the request's body can be sent again: it is an
// [io.Seeker], or what was sent of it is still kept (256 KiB).
//
// # At most once
//
// When a node dies after it got an invocation, nobody can tell whether it ran.
// The client repeats it only if it may run twice: methods GET, HEAD, OPTIONS,
// PUT and DELETE, a header Idempotency-Key, Request.Idempotent, or
// [RetryAlways]. Otherwise the error is [ErrUnknownOutcome]. Nothing is repeated
// after the first byte of an answer.
//
// # Pitfalls
//
//   - Close the Response's Body always; that frees a stream, and ends the
//     function if it still runs.
//   - A function's status of 400 or 500 is an answer, not an error of Invoke.
//   - Body.Read returns [ErrTruncated] where an answer was cut; only io.EOF
//     means that it is whole. A reader that takes any error for the end, takes
//     half an answer for a whole one.
//   - The context of Invoke governs the answer's body too: cancelling it cuts
//     the body.
package client

package invoke

import (
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"
)

// failure tells what an error of the stream means before the answer has come:
// whatever is not sure to be otherwise is CodeUnknown.
func (x *Exchange) failure(err error) error {
	var reset *network.StreamError
	var unknown multistream.ErrNotSupported[protocol.ID]
	why := x.reason()
	switch {
	case why != nil:
		return why
	case errors.Is(err, ErrNotReached):
		return err
	case isEnd(err) && !x.heard:
		return &Error{Code: CodeRefused, Remote: true, Text: "the peer closed the stream before it read the request"}
	case isViolation(err):
		_ = x.st.stream.ResetWithError(network.StreamErrorCode(CodeProtocol))
		return &Error{Code: CodeProtocol, Err: err}
	case errors.As(err, &unknown):
		return fmt.Errorf("peer does not speak %s: %w: %w", ID, ErrNotReached, err)
	case errors.As(err, &reset):
		return x.resetError(reset)
	}
	return &Error{Code: CodeUnknown, Err: err}
}

func (x *Exchange) resetError(reset *network.StreamError) *Error {
	code := Code(reset.ErrorCode)
	switch {
	case !reset.Remote:
		return &Error{Code: CodeCancelled, Text: "the client was closed", Err: reset}
	case code.NotStarted():
		return &Error{Code: code, Remote: true, Err: reset}
	case refusedByHost(reset.ErrorCode) && !x.st.used:
		return &Error{Code: CodeRefused, Remote: true, Text: "the peer takes no more streams", Err: reset}
	case code >= CodeCancelled && code <= CodeShutdown:
		return &Error{Code: code, Remote: true, Err: reset}
	}
	return &Error{Code: CodeUnknown, Err: reset}
}

// refusedByHost tells whether libp2p itself reset a new stream, before any
// handler saw it.
func refusedByHost(code network.StreamErrorCode) bool {
	switch code {
	case network.StreamProtocolNegotiationFailed, network.StreamResourceLimitExceeded,
		network.StreamRateLimited, network.StreamGated:
		return true
	}
	return false
}

// cutFailure is failure for an answer whose header has come: the function ran.
func (x *Exchange) cutFailure(err error) error {
	var reset *network.StreamError
	if why := x.reason(); why != nil {
		return why
	}
	if isViolation(err) {
		_ = x.st.stream.ResetWithError(network.StreamErrorCode(CodeProtocol))
	}
	if errors.As(err, &reset) && reset.Remote {
		if code := Code(reset.ErrorCode); code >= CodeCancelled && code <= CodeShutdown {
			return &Error{Code: code, Remote: true, Err: reset}
		}
	}
	return &Error{Code: CodeCut, Err: short(err)}
}

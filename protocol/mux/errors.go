package mux

import (
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/network"
)

var (
	// ErrStreamClosed is of a Write after CloseWrite or Close.
	ErrStreamClosed = errors.New("write on a closed stream")
	// ErrWriteTimeout ends a connection whose peer has taken nothing for Config.Timeout.
	ErrWriteTimeout = errors.New("the peer takes nothing that is sent")
	// ErrKeepAlive ends a connection whose peer did not answer a ping within Config.Timeout.
	ErrKeepAlive = errors.New("the peer does not answer pings")
	// ErrStreamsExhausted: all stream identifiers of a connection have been used.
	ErrStreamsExhausted = errors.New("the connection has no stream identifiers left: dial a new one")

	errProtocol    = errors.New("peer violates the yamux protocol")
	errFlood       = errors.New("too many frames wait for a peer that takes none")
	errReset       = errors.New("RST frame")
	errGoAway      = errors.New("go-away frame")
	errClosed      = errors.New("session closed")
	errReadClosed  = fmt.Errorf("%w: closed for reading", network.ErrReset)
	errResetByData = fmt.Errorf("%w: %w", network.ErrReset, errReset)
)

// resetError is what a stream's users see after a RST with a code.
func resetError(code uint32, remote bool) error {
	return &network.StreamError{ErrorCode: network.StreamErrorCode(code), Remote: remote, TransportError: errReset}
}

// lost is what users of the streams see when the session has ended by err.
func lost(err error) error {
	if _, told := errors.AsType[*network.ConnError](err); told {
		return err
	}
	return fmt.Errorf("%w: connection lost: %w", network.ErrReset, err)
}

package main

import (
	"fmt"
	"log/slog"
	"os"

	logging "github.com/ipfs/go-log/v2"
	"github.com/libp2p/go-libp2p/gologshim"
)

var log = logging.Logger("p2pfaas/cmd")

// setUpLogging sends all logs to standard error: as text on a terminal, as JSON
// elsewhere. level is for the project's own packages; the libraries below warn
// only, and of peers that went away not even that. go-log's variables (GOLOG_LOG_LEVEL, GOLOG_LOG_FMT) go before both.
func setUpLogging(level string) error {
	c := logging.GetConfig()
	// go-log has chosen plain text when standard error is no terminal.
	if c.Format == logging.PlaintextOutput && os.Getenv("GOLOG_LOG_FMT") == "" {
		c.Format = logging.JSONOutput
	}
	asked := os.Getenv("GOLOG_LOG_LEVEL") != ""
	if !asked {
		c.Level = logging.LevelWarn
	}
	logging.SetupLogging(c)
	slog.SetDefault(slog.New(logging.SlogHandler()))
	gologshim.SetDefaultHandler(logging.SlogHandler())
	if asked {
		return nil
	}
	if err := logging.SetLogLevelRegex("^p2pfaas/", level); err != nil {
		return fmt.Errorf("set log level: %w", err)
	}
	if err := logging.SetLogLevel("net/identify", "error"); err != nil {
		return fmt.Errorf("set log level: %w", err)
	}
	return nil
}

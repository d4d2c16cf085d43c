package api

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"

	"github.com/openfaas/faas-provider/logs"

	"github.com/p2pfaas/p2pfaas/faas"
)

// logs sends lines as they come, until there are no more or, where they are
// followed, until the client or this API goes.
func (a *API) logs(w http.ResponseWriter, r *http.Request) {
	logger, err := offered[faas.Logger](a.runtime, "logs of functions")
	var q faas.LogQuery
	if err == nil {
		q, err = decodeLogQuery(r.URL.Query())
	}
	if err != nil {
		fail(w, r, err)
		return
	}
	q.Follow = q.Follow && r.Method != http.MethodHead // which has no body to wait for
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(a.life, cancel)()
	lines, err := logger.Logs(ctx, q)
	if err != nil {
		fail(w, r, err)
		return
	}
	if err := writeLines(w, lines); err != nil && ctx.Err() == nil {
		log.Warnw("log of a function broke off", "function", q.Name.String(), "err", err)
		panic(http.ErrAbortHandler) // the only way to cut an HTTP/1 answer visibly
	}
}

// writeLines flushes each line: whoever follows a log reads it at once.
func writeLines(w http.ResponseWriter, lines iter.Seq2[faas.LogLine, error]) error {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	control := http.NewResponseController(w)
	if err := control.Flush(); err != nil {
		return err
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for line, err := range lines {
		if err != nil {
			return err
		}
		if err := encoder.Encode(fromLine(&line)); err != nil {
			return err
		}
		if err := control.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func fromLine(l *faas.LogLine) logs.Message {
	return logs.Message{
		Name: l.Name.Function, Namespace: l.Name.Namespace, Instance: l.Instance,
		Timestamp: l.At.UTC(), Text: l.Text,
	}
}

package watchdog

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/p2pfaas/p2pfaas/faas"
)

func TestSettings(t *testing.T) {
	defaults := Settings{CombineOutput: true, CGIHeaders: true}
	for _, tt := range []struct {
		env  map[string]string
		want func(*Settings)
	}{
		{nil, func(*Settings) {}},
		{map[string]string{"exec_timeout": "10"}, func(s *Settings) { s.ExecTimeout = 10 * time.Second }},
		{map[string]string{"exec_timeout": "250ms", "read_timeout": "0"}, func(s *Settings) { s.ExecTimeout = 250 * time.Millisecond }},
		{map[string]string{"read_timeout": "1m"}, func(s *Settings) { s.ReadTimeout = time.Minute }},
		{map[string]string{"combine_output": "false", "cgi_headers": "false"}, func(s *Settings) { s.CombineOutput, s.CGIHeaders = false, false }},
		{map[string]string{"write_debug": "true", "marshal_request": "false"}, func(s *Settings) { s.WriteDebug = true }},
		{map[string]string{"max_inflight": "3", "content_type": "text/x", "suppress_lock": "true"}, func(s *Settings) { s.MaxInflight, s.ContentType = 3, "text/x" }},
	} {
		want := defaults
		tt.want(&want)
		got, err := ReadSettings(tt.env)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v: error %v (-want +got):\n%s", tt.env, err, diff)
		}
	}
}

func TestSettingsAreRefused(t *testing.T) {
	for _, variable := range []string{
		"exec_timeout=soon", "exec_timeout=-1s", "exec_timeout=-1", "read_timeout=1 s",
		"combine_output=perhaps", "max_inflight=-1", "max_inflight=many", "marshal_request=true",
	} {
		name, value, _ := strings.Cut(variable, "=")
		_, err := ReadSettings(map[string]string{name: value})
		if !errors.Is(err, faas.ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", variable, err)
		}
	}
}

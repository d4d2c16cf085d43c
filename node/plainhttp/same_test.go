package plainhttp

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// answer is one as a client sees it.
type answer struct {
	Status   string
	Proto    string
	Header   http.Header
	Length   int64
	Encoding []string
	Close    bool
	Body     string
	Broken   bool
	Trailer  http.Header
}

// same are the odd and the normal: raw bytes, and the methods of the requests in it,
// GET for those not named.
var same = []struct {
	name    string
	raw     string
	methods string
}{
	{"get", "GET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"post", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody", "POST"},
	{"post of nothing", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "POST"},
	{"post without a length", "POST /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", "POST"},
	{"get with a body", "GET /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", ""},
	{"put patch delete options", "PUT /function/echo HTTP/1.1\r\nHost: x\r\n\r\nPATCH /function/echo HTTP/1.1\r\nHost: x\r\n\r\nDELETE /function/echo HTTP/1.1\r\nHost: x\r\n\r\nOPTIONS /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"own method", "BREW /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"no method", " /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"small letters method", "get /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"connect", "CONNECT /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT"},
	{"pipelined", strings.Repeat("POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", 20), ""},
	{"pipelined, with an odd one", "GET /function/echo?1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /function/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET /function/echo?3 HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"pipelined, with a bad one", "GET /function/echo?1 HTTP/1.1\r\nHost: x\r\n\r\nGET\r\n\r\nGET /function/echo?3 HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"pipelined behind a close", "GET /function/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"line ends behind a post", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody\r\nGET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"five line ends behind a post", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody\r\n\r\n\nGET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"line ends behind a get", "GET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n\r\nGET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"line ends first", "\r\nGET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"body longer than said", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nbody", "POST"},
	{"body shorter than said, not read", "POST /function/ignores HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nbody", "POST"},
	{"body not read", strings.Repeat("POST /function/ignores HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", 2), ""},
	{"large body not read", "POST /function/ignores HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n" + strings.Repeat("b", 65536) + "GET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"body half read", strings.Repeat("POST /function/half HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", 2), ""},
	{"body closed", strings.Repeat("POST /function/closes HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody", 2), ""},
	{"64 KB", "POST /function/count HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n" + strings.Repeat("b", 65536), "POST"},
	{"much", "POST /function/count HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("b", 1000000) + "GET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"much not read", "POST /function/ignores HTTP/1.1\r\nHost: x\r\nContent-Length: 250000\r\n\r\n" + strings.Repeat("b", 250000) + "GET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"too much not read", "POST /function/ignores HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + strings.Repeat("b", 300000), "POST"},
	{"too much closed", "POST /function/closes HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + strings.Repeat("b", 300000), "POST"},
	{"too much half read", "POST /function/half HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + strings.Repeat("b", 300000), "POST"},
	{"too much, of which most does not come", "POST /function/count HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + strings.Repeat("b", 3000), "POST"},
	{"64 KB and one", "POST /function/count HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n" + strings.Repeat("b", 65537), "POST"},
	{"lengths differ", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 3\r\n\r\nbody", ""},
	{"length twice", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nbody", ""},
	{"length list", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4, 4\r\n\r\nbody", ""},
	{"length +4", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: +4\r\n\r\nbody", ""},
	{"length -1", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nbody", ""},
	{"length 0x4", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x4\r\n\r\nbody", ""},
	{"length 00004", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 00004\r\n\r\nbody", ""},
	{"length 00000000004", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 00000000004\r\n\r\nbody", ""},
	{"length empty", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\nbody", ""},
	{"length beyond 64 bits", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nbody", ""},
	{"length and chunked", "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""},
	{"unknown coding", "POST /function/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", ""},
	{"name with a space", "POST /function/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", ""},
	{"name with a tab", "GET /function/echo HTTP/1.1\r\nHost: x\r\nA\tb: c\r\n\r\n", ""},
	{"name empty", "GET /function/echo HTTP/1.1\r\nHost: x\r\n: c\r\n\r\n", ""},
	{"name not ASCII", "GET /function/echo HTTP/1.1\r\nHost: x\r\nÄ: c\r\n\r\n", ""},
	{"no colon", "GET /function/echo HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n", ""},
	{"value with NUL", "GET /function/echo HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n", ""},
	{"value with DEL", "GET /function/echo HTTP/1.1\r\nHost: x\r\nA: b\x7fc\r\n\r\n", ""},
	{"value with CR", "GET /function/echo HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n", ""},
	{"value with tab and high bytes", "GET /function/echo HTTP/1.1\r\nHost: x\r\nA: b\tc \xff ä\r\n\r\n", ""},
	{"value with blanks around", "GET /function/echo HTTP/1.1\r\nHost:\t x \r\nA:  b \t\r\nB:\r\nC:x\r\n\r\n", ""},
	{"fields twice, in any case", "GET /function/echo HTTP/1.1\r\nhost: x\r\nx-a: 1\r\nX-A: 2\r\nX-a: 3\r\nCOOKIE: a=b\r\n\r\n", ""},
	{"folded", "GET /function/echo HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", ""},
	{"folded first", "GET /function/echo HTTP/1.1\r\n Host: x\r\n\r\n", ""},
	{"LF only", "GET /function/echo HTTP/1.1\nHost: x\n\n", ""},
	{"LF somewhere", "GET /function/echo HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", ""},
	{"no host", "GET /function/echo HTTP/1.1\r\n\r\n", ""},
	{"two hosts", "GET /function/echo HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", ""},
	{"empty host", "GET /function/echo HTTP/1.1\r\nHost:\r\n\r\n", ""},
	{"bad host", "GET /function/echo HTTP/1.1\r\nHost: x/y\r\n\r\n", ""},
	{"host and port", "GET /function/echo HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", ""},
	{"1.0", "GET /function/echo HTTP/1.0\r\nHost: x\r\n\r\n", ""},
	{"1.0 kept alive", strings.Repeat("GET /function/echo HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", 2), ""},
	{"1.2", "GET /function/echo HTTP/1.2\r\nHost: x\r\n\r\n", ""},
	{"2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""},
	{"bad version", "GET /function/echo HTTP/1.1x\r\nHost: x\r\n\r\n", ""},
	{"no version", "GET /function/echo\r\nHost: x\r\n\r\n", ""},
	{"two spaces", "GET  /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"space in the path", "GET /function/e cho HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"absolute", "GET http://y/function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"star", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS"},
	{"double slash", "GET //function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"dots", "GET /function/../function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"escapes", "GET /function/echo/%41%2Fb%20c?d=%20&e#f HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"escaped prefix", "GET /%66unction/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"bad escape", "GET /function/echo/%4 HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"sub-delimiters", "GET /function/echo/!$&'()*+,;=:@-._~ HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"brackets and the like", "GET /function/echo/[]{}|\\^`\"<> HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"not ASCII path", "GET /function/echo/ä\xff?ö HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"control character", "GET /function/echo/\x01 HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"empty query", "GET /function/echo? HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"two marks", "GET /function/echo?a?b? HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"elsewhere", "GET /other HTTP/1.1\r\nHost: x\r\n\r\nGET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n", ""},
	{"keep-alive", strings.Repeat("GET /function/echo HTTP/1.1\r\nHost: x\r\nConnection: Keep-Alive\r\n\r\n", 2), ""},
	{"close, in capitals", "GET /function/echo HTTP/1.1\r\nHost: x\r\nConnection: CLOSE\r\n\r\n", ""},
	{"two options", "GET /function/echo HTTP/1.1\r\nHost: x\r\nConnection: foo, close\r\n\r\n", ""},
	{"upgrade", "GET /function/echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n", ""},
	{"pragma", "GET /function/echo HTTP/1.1\r\nHost: x\r\nPragma: no-cache\r\n\r\n", ""},
	{"te and trailer", "GET /function/echo HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTrailer: X\r\n\r\n", ""},
	{"continue", "POST /function/echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nbody", "POST"},
	{"other expectation", "POST /function/echo HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nContent-Length: 4\r\n\r\nbody", "POST"},
	{"large head", "GET /function/echo HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 20<<10) + "\r\n\r\n", ""},
	{"head as large as the buffer", "GET /function/length HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", headSize-49) + "\r\n\r\n", ""},
	{"head one larger", "GET /function/length HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", headSize-48) + "\r\n\r\n", ""},
	{"huge head", "GET /function/echo HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", 2<<20) + "\r\n\r\n", ""},
	{"many fields", "GET /function/echo HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", 200) + "\r\n", ""},
	{"half a head", "GET /function/echo HTTP/1.1\r\nHos", ""},
	{"half a line", "GET /func", ""},
	{"nothing", "", ""},
	{"head request", strings.Repeat("HEAD /function/small HTTP/1.1\r\nHost: x\r\n\r\n", 2), "HEAD HEAD"},
	{"head of silence", "HEAD /function/silent HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD"},
	{"head, declared", "HEAD /function/declared HTTP/1.1\r\nHost: x\r\n\r\nGET /function/small HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD"},
	{"head, chunked", "HEAD /function/flushes HTTP/1.1\r\nHost: x\r\n\r\nGET /function/small HTTP/1.1\r\nHost: x\r\n\r\n", "HEAD"},
	{"silent", get("silent", 2), ""},
	{"small", get("small", 2), ""},
	{"declared", get("declared", 2), ""},
	{"html", get("html", 2), ""},
	{"typed in two writes", get("drops", 2), ""},
	{"2048 bytes", get("size-2048", 2), ""},
	{"2049 bytes", get("size-2049", 2), ""},
	{"100000 bytes", get("size-100000", 2), ""},
	{"flushes", get("flushes", 2), ""},
	{"flushed at once", get("flushed", 2), ""},
	{"trailers", get("trailers", 2), ""},
	{"declared trailers", get("declaredtrailers", 2), ""},
	{"204", get("status-204", 2), ""},
	{"205", get("status-205", 2), ""},
	{"304", get("status-304", 2), ""},
	{"404", get("status-404", 2), ""},
	{"799", get("status-799", 2), ""},
	{"204 with a body", get("wrong204", 2), ""},
	{"early hints", get("hints", 2), ""},
	{"status twice", get("twice", 2), ""},
	{"status 0", get("status-0", 2), ""},
	{"aborts", get("aborts", 2), ""},
	{"aborts chunks", get("abortschunks", 2), ""},
	{"panics", get("panics", 2), ""},
	{"writes too little", get("short", 2), ""},
	{"writes too much", get("long", 2), ""},
	{"length is no number", get("wronglength", 2), ""},
	{"header with line ends", get("injects", 2), ""},
	{"header changed late", get("late", 2), ""},
	{"says close", get("saysclose", 2), ""},
	{"says keep-alive", get("sayskeep", 2), ""},
	{"identity", get("identity", 2), ""},
	{"coded by the handler", get("coded", 2), ""},
	{"length and coding", get("lengthandcoding", 2), ""},
	{"no date", get("nodate", 2), ""},
	{"no type", get("notype", 2), ""},
	{"content encoding", get("encoded", 2), ""},
	{"hijacks not", "GET /function/context HTTP/1.1\r\nHost: x\r\n\r\n", ""},
}

// A body that breaks off is told to the handler, and that the connection ends, to
// the client: net/http says that only where it reads the body itself.
func TestSameButForTheEnd(t *testing.T) {
	netHTTP := serveNetHTTP(t, quiet(http.HandlerFunc(plays)))
	_, own := serve(t, quiet(http.HandlerFunc(plays)))
	for _, body := range []string{"", "body"} {
		raw := "POST /function/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n" + body
		want := ask(t, netHTTP, "POST", raw)
		for i := range want {
			want[i].Close = true
		}
		if diff := cmp.Diff(want, ask(t, own, "POST", raw)); diff != "" {
			t.Errorf("body %q, net/http -, own +:\n%s", body, diff)
		}
	}
}

func get(what string, times int) string {
	return strings.Repeat("GET /function/"+what+" HTTP/1.1\r\nHost: x\r\n\r\n", times)
}

// Whatever comes, it is answered as net/http answers it, in one piece or in many.
func TestSameAsNetHTTP(t *testing.T) {
	netHTTP := serveNetHTTP(t, quiet(http.HandlerFunc(plays)))
	_, own := serve(t, quiet(http.HandlerFunc(plays)))
	for _, c := range same {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := ask(t, netHTTP, c.methods, c.raw)
			for _, pieces := range [][]string{{c.raw}, halves(c.raw), crumbs(c.raw)} {
				if diff := cmp.Diff(want, ask(t, own, c.methods, pieces...)); diff != "" {
					t.Errorf("in %d pieces, net/http -, own +:\n%s", len(pieces), diff)
				}
			}
		})
	}
}

func halves(raw string) []string { return []string{raw[:len(raw)/2], raw[len(raw)/2:]} }

// crumbs are pieces of 7 bytes; of what is large, only the first are so small.
func crumbs(raw string) (list []string) {
	for len(raw) > 7 && len(list) < 20 {
		list, raw = append(list, raw[:7]), raw[7:]
	}
	return append(list, raw)
}

// ask sends the pieces, says that this is all, and reads what there is.
func ask(t *testing.T, addr, methods string, pieces ...string) (list []answer) {
	conn := dial(t, addr)
	defer conn.Close()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for i, piece := range pieces {
			if i > 0 {
				time.Sleep(time.Millisecond) // so that it is a packet of its own
			}
			_, _ = io.WriteString(conn, piece)
		}
		_ = conn.CloseWrite()
	}()
	defer func() { _ = conn.Close(); <-sent }()
	in, method := bufio.NewReader(conn), strings.Fields(methods)
	for {
		r := &http.Request{Method: http.MethodGet}
		if len(method) > 0 {
			r.Method, method = method[0], method[1:]
		}
		a, ok := read(t, in, r)
		if !ok {
			return list
		}
		list = append(list, a)
	}
}

// read reads an answer; false if there is no further one.
func read(t *testing.T, in *bufio.Reader, r *http.Request) (answer, bool) {
	resp, err := http.ReadResponse(in, r)
	if err != nil {
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Error("the connection is still open")
		}
		return answer{}, false
	}
	body, err := io.ReadAll(resp.Body)
	if _, dated := resp.Header["Date"]; dated {
		resp.Header.Set("Date", "some")
	}
	return answer{
		resp.Status, resp.Proto, resp.Header, resp.ContentLength, resp.TransferEncoding, resp.Close,
		string(body), err != nil && !refused(resp), resp.Trailer,
	}, true
}

// refused is of an answer that net/http gives without reading on: whether its end
// comes as such, or as a reset for what still arrives, is a matter of luck.
func refused(resp *http.Response) bool {
	return resp.Close && resp.ContentLength < 0 && resp.StatusCode >= 400
}

// plays answers as the path says.
func plays(w http.ResponseWriter, r *http.Request) {
	what := strings.Split(strings.TrimPrefix(r.URL.Path, prefix), "/")[0]
	var n int
	if name, number, ok := strings.Cut(what, "-"); ok {
		_, _ = fmt.Sscan(number, &n)
		what = name
	}
	if play, ok := roles[what]; ok {
		play(w, r, n)
		return
	}
	http.NotFound(w, r)
}

type role = func(w http.ResponseWriter, r *http.Request, n int)

var roles = map[string]role{
	"echo": func(w http.ResponseWriter, r *http.Request, _ int) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %#v %q %s %d %d %q %d %t %v %v %q %v\n", r.Method, *r.URL, r.URL.EscapedPath(), r.Proto, r.ProtoMajor, r.ProtoMinor,
			r.Host, r.ContentLength, r.Close, r.TransferEncoding, r.Trailer, r.RequestURI, r.Body == http.NoBody)
		for _, name := range slices.Sorted(keys(r.Header)) {
			fmt.Fprintf(w, "%q: %q\n", name, r.Header[name])
		}
		fmt.Fprintf(w, "%q %v\n", body, err)
	},
	"count": func(w http.ResponseWriter, r *http.Request, _ int) {
		n, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n, err)
	},
	"length":  func(w http.ResponseWriter, r *http.Request, _ int) { fmt.Fprint(w, len(r.Header.Get("A"))) },
	"ignores": func(w http.ResponseWriter, r *http.Request, _ int) { fmt.Fprint(w, "did not look") },
	"half": func(w http.ResponseWriter, r *http.Request, _ int) {
		b := make([]byte, 2)
		n, err := io.ReadFull(r.Body, b)
		fmt.Fprint(w, n, err, string(b))
		w.(http.Flusher).Flush()
		_, err = r.Body.Read(b)
		fmt.Fprint(w, err)
	},
	"closes": func(w http.ResponseWriter, r *http.Request, _ int) {
		err := r.Body.Close()
		n, err2 := r.Body.Read(make([]byte, 2))
		fmt.Fprint(w, err, n, err2)
	},
	"silent": func(http.ResponseWriter, *http.Request, int) {},
	"small":  func(w http.ResponseWriter, _ *http.Request, _ int) { fmt.Fprint(w, "small") },
	"html":   func(w http.ResponseWriter, _ *http.Request, _ int) { fmt.Fprint(w, "<html>") },
	"declared": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Length", "6")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, "abc")
		fmt.Fprint(w, "def")
	},
	"drops": func(w http.ResponseWriter, _ *http.Request, _ int) {
		fmt.Fprint(w, "<ht")
		fmt.Fprint(w, "ml>", strings.Repeat(" ", 3000))
	},
	"size": func(w http.ResponseWriter, _ *http.Request, n int) {
		n1, err := w.Write(make([]byte, n/2))
		n2, err2 := w.Write(make([]byte, n-n/2))
		if n1+n2 != n || err != nil || err2 != nil {
			panic("wrote too little")
		}
	},
	"flushes": func(w http.ResponseWriter, _ *http.Request, _ int) {
		for range 3 {
			fmt.Fprint(w, strings.Repeat("part", 3000))
			_ = http.NewResponseController(w).Flush()
		}
	},
	"flushed": func(w http.ResponseWriter, _ *http.Request, _ int) {
		_ = http.NewResponseController(w).Flush()
		fmt.Fprint(w, "<html>")
	},
	"trailers": func(w http.ResponseWriter, _ *http.Request, _ int) {
		_ = http.NewResponseController(w).Flush()
		fmt.Fprint(w, "body")
		w.Header().Add(http.TrailerPrefix+"X-A", "1")
		w.Header().Add(http.TrailerPrefix+"X-A", "2\r\nX-Evil: 3")
		w.Header().Add(http.TrailerPrefix+"X\r\nB", "4")
	},
	"declaredtrailers": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Trailer", "x-a, X-B,Content-Length")
		fmt.Fprint(w, "body")
		w.Header().Set("X-A", "1")
		w.Header().Set("X-C", "2")
	},
	"status": func(w http.ResponseWriter, _ *http.Request, n int) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-A", "b")
		w.WriteHeader(n)
	},
	"wrong204": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Length", "4")
		w.WriteHeader(http.StatusNoContent)
		if _, err := fmt.Fprint(w, "body"); err != http.ErrBodyNotAllowed {
			panic(err)
		}
	},
	"hints": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Link", "</a>")
		w.Header().Set("Content-Type", "text/x")
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	},
	"twice": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.WriteHeader(http.StatusAccepted)
		w.WriteHeader(http.StatusNotFound)
	},
	"aborts": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Length", "10")
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	},
	"abortschunks": func(w http.ResponseWriter, _ *http.Request, _ int) {
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	},
	"panics": func(http.ResponseWriter, *http.Request, int) { panic("on purpose") },
	"short": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Length", "10")
		fmt.Fprint(w, "half")
	},
	"long": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Length", "4")
		fmt.Fprint(w, "half")
		if _, err := fmt.Fprint(w, "more"); err != http.ErrContentLength {
			panic(err)
		}
	},
	"wronglength": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Length", "four")
		fmt.Fprint(w, "body")
	},
	"injects": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header()["X-A"] = []string{"b\r\nX-Evil: c", "\n d\r"}
		w.Header()["X-B\r\nX-Evil"] = []string{"e"}
		w.Header()["X C"] = []string{"e"}
		w.Header()["x-small"] = []string{"f"}
		w.Header().Set("Content-Type", "text/x\r\n\r\nevil")
	},
	"late": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("X-A", "1")
		w.WriteHeader(http.StatusOK)
		w.Header().Set("X-A", "2")
		w.Header().Set("X-B", "3")
		w.Header().Set("Content-Type", "text/late")
		fmt.Fprint(w, "body")
	},
	"saysclose": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, "body")
	},
	"sayskeep": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Connection", "keep-alive")
		fmt.Fprint(w, "body")
	},
	"identity": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Transfer-Encoding", "identity")
		fmt.Fprint(w, "body")
	},
	"coded": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Transfer-Encoding", "chunked")
		fmt.Fprint(w, "body")
	},
	"lengthandcoding": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Transfer-Encoding", "chunked")
		w.Header().Set("Content-Length", "4")
		fmt.Fprint(w, "body")
	},
	"nodate": func(w http.ResponseWriter, _ *http.Request, _ int) { w.Header()["Date"] = nil },
	"notype": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header()["Content-Type"] = nil
		fmt.Fprint(w, "<html>")
	},
	"encoded": func(w http.ResponseWriter, _ *http.Request, _ int) {
		w.Header().Set("Content-Encoding", "br")
		fmt.Fprint(w, "<html>")
	},
	"context": func(w http.ResponseWriter, r *http.Request, _ int) {
		ctx := r.Context()
		_, server := ctx.Value(http.ServerContextKey).(*http.Server)
		local, _ := ctx.Value(http.LocalAddrContextKey).(net.Addr)
		_, limited := ctx.Deadline()
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		fmt.Fprint(w, server, local.Network(), ctx.Err(), limited, host, err)
	},
}

func keys(h http.Header) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for name := range h {
			if !yield(name) {
				return
			}
		}
	}
}

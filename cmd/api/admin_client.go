package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// adminClient sends requests to the admin API.
type adminClient struct {
	base, token string
	within      time.Duration
	http        *http.Client
}

// maxAdminAnswer bounds an answer, in bytes: a page of sessions has less.
const maxAdminAnswer = 16 << 20

// client checks the settings.
func (s *adminSettings) client() (*adminClient, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return nil, fmt.Errorf("--url must be http://HOST:PORT or https://HOST:PORT of an admin listener (--admin-listen)")
	}
	c := &adminClient{base: strings.TrimRight(s.URL, "/") + "/admin/v1/", token: os.Getenv("PERCH_ADMIN_TOKEN"), within: s.Timeout}
	if s.TokenFile != "" {
		if c.token != "" {
			return nil, errors.New("the admin token has two sources, PERCH_ADMIN_TOKEN and --token-file (PERCH_ADMIN_TOKEN_FILE): leave one and remove the other")
		}
		if c.token, _, err = readSecret(s.TokenFile, secretSetting{name: "admin-token", hint: "the admin token of the gateway"}); err != nil {
			return nil, fmt.Errorf("--token-file %s: %w", s.TokenFile, err)
		}
	}
	// A redirect could carry the token to another server.
	c.http = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return c, nil
}

// do sends one request; into gets the answer, unless it is nil.
func (c *adminClient) do(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, c.within)
	defer cancel()
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, sent)
	if err != nil {
		return fmt.Errorf("--url: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return c.explain(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAdminAnswer))
	switch {
	case err != nil:
		return c.explain(err)
	case res.StatusCode >= http.StatusMultipleChoices:
		return c.refused(res, text)
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("what answers at %s is no admin API of Perch: %w", c.base, err)
	}
	return nil
}

// explain says what to do about a gateway that does not answer.
func (c *adminClient) explain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer from %s within %v: see whether the gateway is well (perch health), or give it more with --timeout", c.base, c.within)
	}
	return fmt.Errorf("no gateway answers at %s: start it, or name its admin listener with --url (PERCH_ADMIN_URL): %w", c.base, err)
}

// refused is what a refusal says, and what to do about it.
func (c *adminClient) refused(res *http.Response, text []byte) error {
	var problem struct{ Detail, Title, Code string }
	if json.Unmarshal(text, &problem) != nil || problem.Code == "" {
		return fmt.Errorf("what answers at %s is no admin API of Perch, or of a version without one: status %s", c.base, printable(res.Status))
	}
	detail := problem.Detail
	if detail == "" {
		detail = problem.Title
	}
	switch {
	case res.StatusCode == http.StatusUnauthorized && c.token == "":
		return errors.New("the gateway needs its admin token: set PERCH_ADMIN_TOKEN in the environment of this command, or name a file that has it with --token-file")
	case res.StatusCode == http.StatusUnauthorized:
		return errors.New("the gateway does not accept this admin token: it must be the value that the gateway has as PERCH_ADMIN_TOKEN")
	}
	return errors.New(printable(detail))
}

// printer is an answer that people read as a table.
type printer interface{ print(w io.Writer) error }

// show sends one request and prints the answer: as it is, or by way of into.
func (s *adminSettings) show(ctx context.Context, stdout io.Writer, method, path string, body any, into printer) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	if s.JSON {
		var answer json.RawMessage
		if err := c.do(ctx, method, path, body, &answer); err != nil {
			return err
		}
		return printJSON(stdout, answer)
	}
	if err := c.do(ctx, method, path, body, into); err != nil {
		return err
	}
	return into.print(stdout)
}

// act changes something, and says what comes of it.
func (s *adminSettings) act(ctx context.Context, stdout io.Writer, path, done string, args ...any) error {
	c, err := s.client()
	if err != nil {
		return err
	}
	if err := c.do(ctx, http.MethodPost, path, nil, nil); err != nil {
		return err
	}
	if s.JSON {
		return printJSON(stdout, struct {
			OK bool `json:"ok"`
		}{true})
	}
	_, err = fmt.Fprintf(stdout, done+"\n", args...)
	return err
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// Command oapi-codegen is a program on the client that oapi-codegen makes.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"

	perch "github.com/perch-im/perch/tools/generators/oapi-codegen/client"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	client, err := perch.NewClientWithResponses(os.Getenv("PERCH_URL"), perch.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+os.Getenv("PERCH_TOKEN"))
		return nil
	}))
	if err != nil {
		return err
	}
	session, err := client.GetSessionWithResponse(ctx, nil)
	if err != nil || session.JSON200 == nil {
		return fmt.Errorf("the session: %w %s", err, session.Body)
	}
	fmt.Println("state", session.JSON200.State)
	include := perch.ListBuddiesParamsIncludePresence
	list, err := client.ListBuddiesWithResponse(ctx, &perch.ListBuddiesParams{Include: &include})
	if err != nil || list.JSON200 == nil {
		return fmt.Errorf("the buddies: %w %s", err, list.Body)
	}
	var names []string
	var echo perch.JID
	for _, buddy := range list.JSON200.Items {
		names = append(names, buddy.Name)
		if buddy.Name == "Echo" {
			echo = buddy.Jid
		}
	}
	slices.Sort(names)
	fmt.Println("buddies", strings.Join(names, " "))
	missing, err := client.GetBuddyWithResponse(ctx, "nobody@example.net", nil)
	if err != nil || missing.ApplicationproblemJSONDefault == nil {
		return fmt.Errorf("nobody: %w %s", err, missing.Body)
	}
	fmt.Println("refused", missing.ApplicationproblemJSONDefault.Status, missing.ApplicationproblemJSONDefault.Code)
	return talk(ctx, client, echo)
}

// talk adds a buddy that is one already, writes to it, and waits for its answer.
func talk(ctx context.Context, client *perch.ClientWithResponses, echo perch.JID) error {
	var whom perch.BuddyRequest
	name := "Echo"
	if err := whom.FromBuddyByJID(perch.BuddyByJID{Jid: echo, Name: &name}); err != nil {
		return err
	}
	added, err := client.AddBuddyWithResponse(ctx, whom)
	if err != nil || added.JSON200 == nil && added.JSON201 == nil {
		return fmt.Errorf("adding: %w %s", err, added.Body)
	}
	if added.JSON200 != nil { // they were there; JSON201 is a new one
		fmt.Println("added", added.StatusCode(), added.JSON200.Name)
	}
	start, err := client.StreamEventsWithResponse(ctx, &perch.StreamEventsParams{})
	if err != nil || start.JSON200 == nil {
		return fmt.Errorf("the events: %w %s", err, start.Body)
	}
	body := "hello"
	sent, err := client.SendMessageWithResponse(ctx, nil, perch.MessageRequest{To: echo, Body: &body})
	if err != nil || sent.JSON202 == nil {
		return fmt.Errorf("sending: %w %s", err, sent.Body)
	}
	fmt.Println("message", sent.StatusCode(), map[bool]string{true: "with a status", false: "without a status"}[sent.JSON202.Status.Valid()])
	return wait(ctx, client, start.JSON200.Next)
}

// wait polls from a cursor on until a message arrives.
func wait(ctx context.Context, client *perch.ClientWithResponses, since string) error {
	seconds := 20
	poll, err := client.StreamEventsWithResponse(ctx, &perch.StreamEventsParams{Since: &since, Wait: &seconds})
	if err != nil || poll.JSON200 == nil {
		return fmt.Errorf("the events: %w %s", err, poll.Body)
	}
	for _, envelope := range poll.JSON200.Events {
		event, err := envelope.ValueByDiscriminator()
		if err != nil {
			return err
		}
		if received, ok := event.(perch.MessageReceivedEvent); ok {
			fmt.Println("received", received.Data.Body)
			return nil
		}
	}
	return wait(ctx, client, poll.JSON200.Next)
}

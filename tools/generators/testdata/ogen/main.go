// Command ogen is a program on the client that ogen makes, which holds every answer against the description.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"

	perch "github.com/perch-im/perch/tools/generators/ogen/client"
)

// token says who is calling.
type token string

// BearerAuth implements perch.SecuritySource.
func (t token) BearerAuth(context.Context, perch.OperationName) (perch.BearerAuth, error) {
	return perch.BearerAuth{Token: string(t)}, nil
}

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	client, err := perch.NewClient(os.Getenv("PERCH_URL"), token(os.Getenv("PERCH_TOKEN")))
	if err != nil {
		return err
	}
	session, err := client.GetSession(ctx, perch.GetSessionParams{})
	if err != nil {
		return err
	}
	fmt.Println("state", session.Response.State)
	answer, err := client.ListBuddies(ctx, perch.ListBuddiesParams{Include: perch.NewOptInclude(perch.IncludePresence)})
	if err != nil {
		return err
	}
	list, ok := answer.(*perch.BuddyListHeaders)
	if !ok {
		return fmt.Errorf("the buddies: got a %T", answer)
	}
	var names []string
	var echo perch.JID
	for _, buddy := range list.Response.Items {
		names = append(names, buddy.Name)
		if buddy.Name == "Echo" {
			echo = buddy.Jid
		}
	}
	slices.Sort(names)
	fmt.Println("buddies", strings.Join(names, " "))
	var refused *perch.RefusedStatusCodeWithHeaders
	if _, err := client.GetBuddy(ctx, perch.GetBuddyParams{Jid: "nobody@example.net"}); !errors.As(err, &refused) {
		return fmt.Errorf("nobody: got error %w", err)
	}
	fmt.Println("refused", refused.StatusCode, refused.Response.Code)
	return talk(ctx, client, echo)
}

// talk adds a buddy that is one already, writes to it, and waits for its answer.
func talk(ctx context.Context, client *perch.Client, echo perch.JID) error {
	added, err := client.AddBuddy(ctx, perch.NewBuddyByJIDBuddyRequest(perch.BuddyByJID{Jid: string(echo), Name: perch.NewOptString("Echo")}))
	if err != nil {
		return err
	}
	switch added := added.(type) {
	case *perch.BuddyHeaders: // they were there
		fmt.Println("added", 200, added.Response.Name)
	case *perch.AddBuddyCreatedHeaders:
		fmt.Println("added", 201, added.Response.Name)
	}
	start, err := poll(ctx, client, perch.StreamEventsParams{})
	if err != nil {
		return err
	}
	sent, err := client.SendMessage(ctx, &perch.MessageRequest{To: string(echo), Body: perch.NewOptString("hello")}, perch.SendMessageParams{})
	if err != nil {
		return err
	}
	if accepted, ok := sent.(*perch.SendMessageAccepted); ok {
		fmt.Println("message", 202, map[bool]string{true: "with a status", false: "without a status"}[accepted.Response.Status.Validate() == nil])
	}
	for since := start.Next; ; {
		page, err := poll(ctx, client, perch.StreamEventsParams{Since: perch.NewOptString(since), Wait: perch.NewOptInt(20)})
		if err != nil {
			return err
		}
		for _, event := range page.Events {
			if received, ok := event.GetMessageReceivedEvent(); ok {
				fmt.Println("received", received.Data.Body)
				return nil
			}
		}
		since = page.Next
	}
}

func poll(ctx context.Context, client *perch.Client, p perch.StreamEventsParams) (*perch.Poll, error) {
	answer, err := client.StreamEvents(ctx, p)
	if err != nil {
		return nil, err
	}
	page, ok := answer.(*perch.PollHeaders)
	if !ok {
		return nil, fmt.Errorf("the events: got a %T", answer)
	}
	return &page.Response, nil
}

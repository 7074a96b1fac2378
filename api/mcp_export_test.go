package api

import "context"

// ProblemOfTool is what a call that has failed with err answers.
func (a *API) ProblemOfTool(ctx context.Context, err error) []byte { return a.problemOfTool(ctx, err) }

package messenger

type grants struct{}

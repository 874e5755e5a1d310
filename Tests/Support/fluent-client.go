// A client of the Forward protocol that others wrote, with acknowledgements: sends three events to the port that is its
// argument, and ends with a failure when one is not acknowledged.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/fluent/fluent-logger-golang/fluent"
)

func main() {
	port, err := strconv.Atoi(os.Args[1])
	if err == nil {
		err = send(port)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func send(port int) error {
	client, err := fluent.New(fluent.Config{
		FluentHost: "127.0.0.1", FluentPort: port, RequestAck: true, SubSecondPrecision: true,
		MaxRetry: 3, RetryWait: 10,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	when := time.Unix(1763655932, 500000000)
	for number := 0; number < 3; number++ {
		event := map[string]interface{}{"n": number, "text": "é"}
		if err := client.PostWithTime("app.go", when, event); err != nil {
			return err
		}
	}
	return nil
}

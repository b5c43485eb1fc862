// pgx: a pool, batches and CopyFrom; int64 in Go, a string in JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"strconv"
	"time"

	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

// Order is a row. Its keys are strings in JSON, for JavaScript rounds the numbers there.
type Order struct {
	ID         int64  `json:"id,string"`
	CustomerID int64  `json:"customer_id,string"`
	Note       string `json:"note"`
}

var ctx = context.Background()

func main() {
	// PGHOST and so on say where.
	db, err := pgxpool.Connect(ctx, "")
	check(err)
	defer db.Close()
	create(db)
	ann := one(db)
	many(db, ann)
	pages(db)
	window(db)
}

func create(db *pgxpool.Pool) {
	_, err := db.Exec(ctx, "CREATE EXTENSION pg_snowflake")
	check(err)
	_, err = db.Exec(ctx, `
		CREATE TABLE customers (
			id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
			name text NOT NULL
		)`)
	check(err)
	_, err = db.Exec(ctx, `
		CREATE TABLE orders (
			id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
			customer_id bigint NOT NULL REFERENCES customers,
			note text NOT NULL
		)`)
	check(err)
}

func one(db *pgxpool.Pool) int64 {
	const insert = "INSERT INTO customers (name) VALUES ($1) RETURNING id"
	var ann, bob int64
	check(db.QueryRow(ctx, insert, "Ann").Scan(&ann))
	check(db.QueryRow(ctx, insert, "Bob").Scan(&bob))
	expect(1<<53 < ann && ann < bob, "a later row has a greater key")
	return ann
}

func many(db *pgxpool.Pool, customer int64) {
	const insert = "INSERT INTO orders (customer_id, note) VALUES ($1, $2) RETURNING id"
	ids := make([]int64, 0, 1000)
	// As many statements as rows, but sent in one go.
	counted(db, "SendBatch", 1000, func() {
		batch := &pgx.Batch{}
		for n := 0; n < 1000; n++ {
			batch.Queue(insert, customer, fmt.Sprint("order ", n))
		}
		results := db.SendBatch(ctx, batch)
		for n := 0; n < 1000; n++ {
			var id int64
			check(results.QueryRow().Scan(&id))
			ids = append(ids, id)
		}
		check(results.Close())
	})
	expect(inOrder(ids), "a batch's keys are in the order of its rows")

	// CopyFrom gives no keys back, so take them first.
	var first int64
	counted(db, "CopyFrom with a reserved block", 2, func() {
		check(db.QueryRow(ctx, "SELECT snowflake_reserve($1)", 1000).Scan(&first))
		rows := pgx.CopyFromSlice(1000, func(n int) ([]interface{}, error) {
			return []interface{}{first + int64(n), customer, fmt.Sprint("order ", n)}, nil
		})
		columns := []string{"id", "customer_id", "note"}
		copied, err := db.CopyFrom(ctx, pgx.Identifier{"orders"}, columns, rows)
		check(err)
		expect(copied == 1000, "all rows are copied")
	})

	var order Order
	var name string
	check(db.QueryRow(ctx, `
		SELECT o.id, o.customer_id, o.note, c.name
		FROM orders AS o JOIN customers AS c ON c.id = o.customer_id WHERE o.id = $1`, first+7,
	).Scan(&order.ID, &order.CustomerID, &order.Note, &name))
	expect(order == Order{first + 7, customer, "order 7"} && name == "Ann", "the row of the eighth key is the eighth")
	inJSON(order)
}

func inJSON(order Order) {
	text, err := json.Marshal(order)
	check(err)
	var back Order
	check(json.Unmarshal(text, &back))
	expect(back == order, "a string in JSON is exact")

	// A number without a type becomes a float64, which rounds.
	var any interface{}
	check(json.Unmarshal([]byte(strconv.FormatInt(order.ID|1, 10)), &any))
	expect(int64(any.(float64)) != order.ID|1, "a float64 is not")
}

func pages(db *pgxpool.Pool) {
	read := []int64{0}
	for {
		page, err := db.Query(ctx, "SELECT id FROM orders WHERE id > $1 ORDER BY id LIMIT 300", read[len(read)-1])
		check(err)
		before := len(read)
		for page.Next() {
			var id int64
			check(page.Scan(&id))
			read = append(read, id)
		}
		check(page.Err())
		if len(read) == before {
			break
		}
	}
	expect(len(read) == 1+2000 && inOrder(read), "every row is on one page")
}

func window(db *pgxpool.Pool) {
	now := time.Now()
	count := func(from, to time.Time) (count int) {
		const between = "SELECT count(*) FROM orders WHERE snowflake_between(id, $1, $2)"
		check(db.QueryRow(ctx, between, from, to).Scan(&count))
		return count
	}
	expect(count(now.Add(-time.Hour), now.Add(time.Hour)) == 2000, "all rows are of this hour")
	expect(count(now.Add(-2*time.Hour), now.Add(-time.Hour)) == 0, "none is of the hour before")
}

func counted(db *pgxpool.Pool, what string, expected int, work func()) {
	statements := func() (count int) {
		check(db.QueryRow(ctx, "SELECT example.statements()").Scan(&count))
		return count
	}
	before := statements()
	work()
	taken := statements() - before
	fmt.Printf("statements for 1,000 rows by %s: %d\n", what, taken)
	expect(taken == expected, "as many statements as expected")
}

func inOrder(ids []int64) bool {
	for n := 1; n < len(ids); n++ {
		if ids[n-1] >= ids[n] {
			return false
		}
	}
	return true
}

func check(err error) {
	if err != nil {
		log.Panic(err)
	}
}

func expect(holds bool, what string) {
	if !holds {
		log.Panic("not so: ", what)
	}
}

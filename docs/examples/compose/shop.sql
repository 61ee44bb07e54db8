-- Run by the image of PostgreSQL when its volume is empty. A shop of four orders, and a login that only reads.
\set reader_password `cat /run/secrets/reader_password`

CREATE TABLE customers (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    city text
);
CREATE TABLE orders (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers,
    total numeric(10, 2) NOT NULL,
    paid_on date,
    created_at timestamptz NOT NULL
);
INSERT INTO customers (name, city) VALUES ('Ann', 'Riga'), ('Boris', 'Tver'), ('Chen', NULL);
INSERT INTO orders (customer_id, total, paid_on, created_at) VALUES
    (1, 10.50, '2025-12-30', '2025-12-29 09:30:00+00'),
    (2, 7.25, '2025-12-31', '2025-12-30 18:05:00+00'),
    (1, 99.00, NULL, '2025-12-31 23:59:00+00'),
    (3, 12.00, '2026-01-02', '2026-01-01 00:00:00+00');

CREATE ROLE bi_reader LOGIN PASSWORD :'reader_password' CONNECTION LIMIT 20;
ALTER ROLE bi_reader SET default_transaction_read_only = on;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO bi_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO bi_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO bi_reader;

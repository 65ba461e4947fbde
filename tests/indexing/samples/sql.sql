-- Users.
CREATE TABLE IF NOT EXISTS app.users (
  type VARCHAR(20)
);
create or replace function total(a int) returns int as $$ select 1; $$ language sql;
CREATE VIEW v AS SELECT * FROM users;
CREATE INDEX idx ON users (type);
INSERT INTO users VALUES (1);
CREATE TYPE mood AS ENUM ('a');
CREATE PROCEDURE p() LANGUAGE sql AS $$ select 1 $$;
CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION f();
SELECT 1;

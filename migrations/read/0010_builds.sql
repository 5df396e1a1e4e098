-- Which build of the tables a checkpoint belongs to: a runner that started on other tables must read
-- checkpoint and parked streams again, even if the position is the same.
alter table checkpoints add column build integer not null default 0;

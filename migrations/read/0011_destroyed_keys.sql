-- So that rows forget what was sealed under a key that is destroyed. The key of the day of an anonymous caller's address
-- and agent; where a person's or invitation's address stands in the details.
alter table audit_log add column day_key uuid;
create index audit_log_day_key on audit_log (day_key) where day_key is not null;

create table audit_openings (
    subject text not null collate "C",
    position bigint not null,
    field text not null,
    primary key (subject, position, field)
);

create index audit_facts_organization on audit_facts ((fact ->> 'organization')) where fact ? 'organization';

DROP TABLE move_tasks;
DROP TABLE deduplications;
DROP TABLE messages;
DROP TABLE queues;

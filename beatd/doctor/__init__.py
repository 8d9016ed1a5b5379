"""What `beatd doctor` looks at: each module is about one part, and yields findings."""

"""What the tests share, and the programs of benchmarks/load: stand-ins for Slack, samples, steps. Nothing here is a test."""

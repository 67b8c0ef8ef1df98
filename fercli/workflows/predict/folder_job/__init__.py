"""Jobs of `fer predict` whose output is a folder of Parquet files, here or in an object store, one file a shard."""

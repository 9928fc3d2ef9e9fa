"""A new customer's file: what is asked, what is made up, how it is written. Used by `new` and by `import`."""

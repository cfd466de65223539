# __name__

    npx latchkey plugin check .    # what can be known without running it
    npx latchkey plugin test .     # its tests, in a helpdesk of their own
    npx latchkey plugin dev .      # a helpdesk on your machine that follows what you save
    npx latchkey plugin pack .     # one file to install

`node_modules/latchkey` leads to the Latchkey that made this folder, for the types and the schema of `plugin.json`; `dev` and `test` make it again where it is missing.

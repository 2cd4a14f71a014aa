@rem Lets cmd.exe run the "exec" of package.json, which keeps signals from stopping at the shell elsewhere.
@%*

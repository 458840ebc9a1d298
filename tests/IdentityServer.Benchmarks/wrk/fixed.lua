-- The same request again and again: client_credentials, introspection, JWKS, discovery, and the floor.
dofile(os.getenv("BENCH_LUA") .. "/report.lua")

wrk.method = os.getenv("BENCH_METHOD")
if wrk.method == "POST" then
  wrk.body = os.getenv("BENCH_BODY")
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  wrk.headers["Authorization"] = os.getenv("BENCH_AUTHORIZATION")
end

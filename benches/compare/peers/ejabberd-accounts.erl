%% Evaluated in a starting ejabberd, with Names and Password bound: makes the accounts. The costly part of SCRAM is done
%% for the first one; the others get the same record. Then the node ends.
lists:any(fun(_) -> timer:sleep(100), ejabberd:is_loaded() andalso
                    whereis(ejabberd_listener) =/= undefined end, lists:seq(1, 600)).
mnesia:wait_for_tables([passwd], 60000).
{ok, File} = file:read_file(Names).
[First | Rest] = binary:split(File, <<"\n">>, [global, trim_all]).
{atomic, _} = {atomic, ejabberd_auth:set_password(First, <<"localhost">>, Password)}.
[Record] = mnesia:dirty_read(passwd, {First, <<"localhost">>}).
{atomic, ok} = mnesia:transaction(fun() ->
    lists:foreach(fun(Name) -> mnesia:write(setelement(2, Record, {Name, <<"localhost">>})) end, Rest)
end).
mnesia:sync_log().
mnesia:dump_log().
init:stop().

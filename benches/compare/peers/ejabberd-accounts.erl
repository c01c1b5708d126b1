%% Evaluated in a starting ejabberd, with Rosters (a file: a name and its contacts on each line) and Password bound.
%% The costly part of SCRAM is done for the first account; the others get the same record. Then the node ends.
lists:any(fun(_) -> timer:sleep(100), whereis(ejabberd_listener) =/= undefined end, lists:seq(1, 600)).
ok = mnesia:wait_for_tables([passwd, roster], 60000).
Host = <<"localhost">>.
{ok, File} = file:read_file(Rosters).
[[First | _] | _] = Lines = [binary:split(L, <<" ">>, [global]) || L <- binary:split(File, <<"\n">>, [global, trim_all])].
ejabberd_auth:set_password(First, Host, Password).
[Record] = mnesia:dirty_read(passwd, {First, Host}).
%% The fields of a roster item: owner with contact, owner, contact, name, subscription, question, groups, its text, rest.
Item = fun(Name, Contact) ->
    Address = {Contact, Host, <<>>},
    {roster, {Name, Host, Address}, {Name, Host}, Address, <<>>, both, none, [], <<>>, []}
end.
%% A million items one by one would be logged and dumped for minutes: the table is on the disk again when it has them all.
{atomic, ok} = mnesia:change_table_copy_type(roster, node(), ram_copies).
lists:foreach(fun([Name | Contacts]) ->
    mnesia:dirty_write(setelement(2, Record, {Name, Host})),
    lists:foreach(fun(Contact) -> mnesia:dirty_write(Item(Name, Contact)) end, Contacts)
end, Lines).
{atomic, ok} = mnesia:change_table_copy_type(roster, node(), disc_copies).
mnesia:sync_log().
mnesia:dump_log().
init:stop().
